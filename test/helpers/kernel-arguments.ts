/**
 * Kernels take their arguments by position; tests name them. The names are those of the parameters in assembly/.
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { filesOf } from "./build-wasm.ts";

const root = join(import.meta.dirname, "../..");

/** The arguments of a call: a number for each parameter. Addresses are byte offsets into the memory. */
export type Arguments = Readonly<Record<string, number>>;

/** The names of the parameters of every function that a module of assembly/ exports, references excluded. */
function readParameters(): Map<string, string[]> {
  const result = new Map<string, string[]>();
  for (const file of filesOf("assembly").filter((path) => !path.includes("/ref/"))) {
    const functions = readFileSync(join(root, file), "utf8").matchAll(/^export function (\w+)\(([^)]*)\)/gm);
    for (const [, name, list] of functions)
      result.set(
        name!,
        [...list!.matchAll(/(\w+):/g)].map(([, each]) => each!),
      );
  }
  return result;
}
const PARAMETERS = readParameters();

/** Puts named arguments in a kernel's order. */
export function inOrder(kernel: string, args: Arguments): number[] {
  const names = PARAMETERS.get(kernel);
  if (!names) throw new Error(`expected a function that assembly/ exports, got ${kernel}`);
  const unknown = Object.keys(args).filter((name) => !names.includes(name));
  const missing = names.filter((name) => !(name in args));
  if (unknown.length > 0 || missing.length > 0)
    throw new Error(`${kernel}(${names}): arguments [${missing}] are missing, [${unknown}] are unknown`);
  return names.map((name) => args[name]!);
}
