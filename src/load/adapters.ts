/**
 * Low-rank adapters beside a model: the option of `load`, and their files.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { readAdapter } from "../formats/lora/adapter.ts";
import type { Adapter } from "../formats/lora/products.ts";
import type { Host } from "./host.ts";
import { type ModelSource, openSource } from "./source.ts";

export interface LoraOption {
  /** A GGUF adapter, or the folder of one as PEFT writes it. */
  readonly source: ModelSource;
  /** What requests call it. Default: the last part of the source's name, else its number. */
  readonly name?: string;
  /** How strongly requests that say nothing apply it (default 1). */
  readonly scale?: number;
}

/** An adapter as requests choose it. */
export interface AdapterInfo {
  readonly name: string;
  readonly scale: number;
}

const MAX_ADAPTERS = 64;

/** Names and scales. @throws NibbleError `invalid_argument` */
export function checkAdapters(options: unknown): AdapterInfo[] {
  if (options === undefined) return [];
  if (!Array.isArray(options) || options.length > MAX_ADAPTERS)
    throw invalid("lora", `expected an array of at most ${MAX_ADAPTERS} adapters`);
  const infos = options.map((option: Partial<LoraOption> | null, i): AdapterInfo => {
    const param = `lora[${i}]`;
    if (typeof option !== "object" || option === null || option.source === undefined)
      throw invalid(param, "expected an object { source, name?, scale? }");
    const { source, scale = 1 } = option;
    const name = option.name ?? nameOf(source) ?? String(i);
    if (typeof name !== "string" || name === "") throw invalid(`${param}.name`, "expected a name");
    if (!Number.isFinite(scale)) throw invalid(`${param}.scale`, `expected a finite number, got ${scale}`);
    return { name, scale };
  });
  for (const [i, { name }] of infos.entries())
    if (infos.findIndex((other) => other.name === name) < i)
      throw invalid(`lora[${i}].name`, `expected a name of its own, got ${name} twice`);
  return infos;
}

/** `adapters/poet-f16.gguf` is `poet-f16`. */
function nameOf(source: unknown): string | undefined {
  if (typeof source !== "string" && !(source instanceof URL)) return undefined;
  return (
    String(source)
      .replace(/[\\/]+$/, "")
      .split(/[\\/]/)
      .pop()
      ?.replace(/\.gguf$/, "") || undefined
  );
}

/**
 * Opens adapters in their order, for as long as `action` takes.
 * @throws NibbleError with a format code for a file that is no adapter for this model
 */
export async function withAdapters<T>(
  options: readonly LoraOption[] | undefined,
  host: Host,
  base: Checkpoint,
  action: (adapters: readonly Adapter[]) => Promise<T>,
): Promise<T> {
  const adapters: Adapter[] = [];
  try {
    for (const { source } of options ?? []) adapters.push(await readAdapter(await openSource(source, host), base));
    return await action(adapters);
  } finally {
    for (const { close } of adapters) await close();
  }
}

function invalid(param: string, message: string): NibbleError {
  return new NibbleError("invalid_argument", `${param}: ${message}`, { param });
}
