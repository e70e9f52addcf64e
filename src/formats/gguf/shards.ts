/**
 * Split GGUF: one model in several files (llama.cpp, tools/gguf-split).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { TensorInfo } from "../checkpoint.ts";
import { defaultLimits } from "../limits.ts";
import { getNumber } from "../typed-values.ts";
import type { GgufHeader } from "./header.ts";

/**
 * The names of all shards, in order, from the name of the first one: `name-00001-of-00005.gguf`. It may have a directory
 * or URL in front.
 * @returns undefined if the name is not that of a shard
 * @throws NibbleError `invalid_argument` for the name of a shard that is not the first, `limit_exceeded` for too many shards
 */
export function splitNames(firstName: string): string[] | undefined {
  const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/s.exec(firstName);
  if (!match) return undefined;
  const [, prefix, number, total] = match as unknown as [string, string, string, string];
  const count = Number(total);
  if (Number(number) !== 1) {
    throw new NibbleError(
      "invalid_argument",
      `name: expected the first shard, ${prefix}-00001-of-${total}.gguf, got ${firstName}`,
    );
  }
  if (count > defaultLimits.shards) {
    throw new NibbleError("limit_exceeded", `number of shards: expected at most ${defaultLimits.shards}, got ${count}`);
  }
  return Array.from({ length: count }, (_, i) => `${prefix}-${String(i + 1).padStart(5, "0")}-of-${total}.gguf`);
}

/**
 * Checks that these are all shards of one model, in order, and joins their tensors.
 * @throws NibbleError `missing_file`, `bad_value`, `duplicate_key`, `missing_tensor`
 */
export function joinShards(headers: readonly GgufHeader[]): ReadonlyMap<string, TensorInfo> {
  const first = headers[0]!.metadata;
  const count = getNumber(first, "split.count", { default: 0, integer: true, min: 0 });
  // Both 0 and 1 mean that the model is not split.
  if (Math.max(count, 1) > headers.length) {
    throw new NibbleError(
      "missing_file",
      `number of shards: expected all ${count} of this model, got ${headers.length}`,
    );
  }
  if (headers.length > 1) for (const [i, header] of headers.entries()) checkShard(header, i, headers.length);
  const tensors = new Map<string, TensorInfo>();
  for (const header of headers) {
    for (const tensor of header.tensors) {
      if (tensors.has(tensor.name)) {
        throw new NibbleError("duplicate_key", `tensor ${JSON.stringify(tensor.name)} is in two shards`);
      }
      tensors.set(tensor.name, tensor);
    }
  }
  const expected = count > 1 ? getNumber(first, "split.tensors.count", { integer: true, min: 0 }) : tensors.size;
  if (expected !== tensors.size) {
    throw new NibbleError(
      "missing_tensor",
      `number of tensors in all shards: expected ${expected}, got ${tensors.size}`,
    );
  }
  return tensors;
}

function checkShard({ metadata }: GgufHeader, index: number, count: number): void {
  const actual = {
    no: getNumber(metadata, "split.no", { integer: true }),
    count: getNumber(metadata, "split.count", { integer: true }),
  };
  if (actual.no !== index || actual.count !== count) {
    throw new NibbleError(
      "bad_value",
      `shard ${index + 1}: expected split.no ${index} and split.count ${count}, got ${actual.no} and ${actual.count}`,
    );
  }
}
