/**
 * Low-rank adapters beside a model: the option `lora` of `load`, and their files.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { invalid } from "../base/fields.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { readAdapter } from "../formats/lora/adapter.ts";
import type { Adapter } from "../formats/lora/products.ts";
import type { Host } from "./host.ts";
import { type ModelSource, openSource, sourceName } from "./source.ts";

/** A low-rank adapter to load with a model. */
export interface LoraOption {
  /** A GGUF adapter, or a folder as PEFT writes it. */
  readonly source: ModelSource;
  /**
   * The name by which requests choose it. Default: the last part of the source's name without `.gguf`, else its place
   * in the list.
   */
  readonly name?: string;
  /** How strongly it acts on requests that do not say: 0 is not at all, and 1, the default, is as trained. */
  readonly scale?: number;
}

/** An adapter as requests choose it. */
export interface AdapterInfo {
  readonly name: string;
  readonly scale: number;
}

const MAX_ADAPTERS = 64;

/**
 * The adapters' names and scales.
 * @throws NibbleError `invalid_argument` that names the adapter's place and field
 */
export function checkAdapters(options: unknown): AdapterInfo[] {
  if (options === undefined) return [];
  if (!Array.isArray(options) || options.length > MAX_ADAPTERS)
    throw wrong("lora", `an array of at most ${MAX_ADAPTERS} adapters`, options);
  const infos = Array.from(options, checkAdapter); // `map` would pass over holes
  for (const [i, { name }] of infos.entries())
    if (infos.findIndex((other) => other.name === name) < i)
      throw new NibbleError("invalid_argument", `lora[${i}].name: another adapter has the name ${name} already`, {
        param: `lora[${i}].name`,
      });
  return infos;
}

function checkAdapter(option: Partial<LoraOption> | null, i: number): AdapterInfo {
  const param = `lora[${i}]`;
  if (typeof option !== "object" || option === null) throw wrong(param, "an object { source, name?, scale? }", option);
  const { source, scale = 1 } = option;
  if (source === undefined) throw wrong(`${param}.source`, "a path, bytes or another source of a model", source);
  const name = option.name ?? sourceName(source)?.replace(/\.gguf$/, "") ?? String(i);
  if (typeof name !== "string" || name === "") throw wrong(`${param}.name`, "a string that is not empty", name);
  if (!Number.isFinite(scale)) throw wrong(`${param}.scale`, "a finite number", scale);
  return { name, scale };
}

function wrong(param: string, expected: string, got: unknown): NibbleError {
  return invalid(param, expected, got, "invalid_argument");
}

/**
 * Opens adapters in their order, and closes them after `action`.
 * @throws NibbleError with a format code for a file that is not an adapter for this model
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
