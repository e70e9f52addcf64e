/**
 * Sliding windows: how many tokens each layer attends to.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getBooleanPerLayer, getNumber } from "../formats/typed-values.ts";
import type { ModelConfig } from "./decoder.ts";

/**
 * Tokens that each layer attends to, itself included; 0 stands for all. `attention.sliding_window` is the size, and
 * `attention.sliding_window_pattern` says which layers have one: a boolean per layer, or a number n, for all but every n-th.
 * @param options.period n where the key is missing; Infinity for a window in every layer
 * @param options.required whether the size must be there. Otherwise a missing one, or 0, means that no layer has a window.
 * @throws NibbleError `missing_key`, `bad_type`, `bad_value`
 */
export function readWindows(
  { metadata, architecture }: Checkpoint,
  layers: number,
  options: { period: number; required?: boolean },
): number[] {
  const size = getNumber(metadata, `${architecture}.attention.sliding_window`, {
    ...(options.required ? { min: 1 } : { min: 0, default: 0 }),
    integer: true,
    max: 2 ** 31 - 1,
  });
  const local = readPattern(metadata, `${architecture}.attention.sliding_window_pattern`, layers, options.period);
  return local.map((has) => (has ? size : 0));
}

/**
 * The windows of Qwen 2 and 3, which few files have: only with the list of layers that have one. Where that is missing,
 * the size is not read, and refused unless it changes nothing.
 * @throws NibbleError as `readWindows`; `unsupported_architecture` where attention is bidirectional, too
 */
export function readListedWindows(
  checkpoint: Checkpoint,
  { layers, bidirectional }: ModelConfig,
): number[] | undefined {
  const { metadata, architecture } = checkpoint;
  if (!metadata.has(`${architecture}.attention.sliding_window_pattern`)) return undefined;
  const windows = readWindows(checkpoint, layers, { period: Infinity });
  if (!bidirectional || windows.every((size) => size === 0)) return windows;
  throw new NibbleError(
    "unsupported_architecture",
    `${architecture}.attention.sliding_window: windows of bidirectional attention are not supported for this architecture`,
  );
}

function readPattern(metadata: Checkpoint["metadata"], key: string, layers: number, period: number): boolean[] {
  const pattern = metadata.get(key) ?? period;
  if (typeof pattern !== "number") return getBooleanPerLayer(metadata, key, layers);
  const n = pattern === Infinity ? layers + 1 : getNumber(metadata, key, { default: pattern, integer: true, min: 1 });
  return Array.from({ length: layers }, (_, i) => (i + 1) % n !== 0);
}
