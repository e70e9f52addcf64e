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
 * The file names of all shards, in order, from the first one's: `name-00001-of-00005.gguf`. A directory or URL in front stays.
 * Undefined if the name is not one of a split file.
 * @throws NibbleError `invalid_argument` if it names another shard than the first, `limit_exceeded` for too many
 */
export function splitNames(firstName: string): string[] | undefined {
  const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/s.exec(firstName);
  if (!match) return undefined;
  const [, prefix, number, total] = match as unknown as [string, string, string, string];
  const count = Number(total);
  if (Number(number) !== 1) {
    throw new NibbleError(
      "invalid_argument",
      `expected the first shard, ${prefix}-00001-of-${total}.gguf, got ${firstName}`,
    );
  }
  if (count > defaultLimits.shards) {
    throw new NibbleError("limit_exceeded", `expected at most ${defaultLimits.shards} shards, got ${count}`);
  }
  return Array.from({ length: count }, (_, i) => `${prefix}-${String(i + 1).padStart(5, "0")}-of-${total}.gguf`);
}

/**
 * The tensors of all shards, after checking that these are the shards of one model in order.
 * @throws NibbleError `missing_file`, `bad_value`, `duplicate_key`, `missing_tensor`
 */
export function joinShards(headers: readonly GgufHeader[]): ReadonlyMap<string, TensorInfo> {
  const first = headers[0]!.metadata;
  const count = getNumber(first, "split.count", { default: 0, integer: true, min: 0 });
  // 0 and 1 both say: not split.
  if (Math.max(count, 1) > headers.length) {
    throw new NibbleError("missing_file", `expected all ${count} shards of this model, got ${headers.length}`);
  }
  if (headers.length > 1) for (const [i, header] of headers.entries()) checkShard(header, i, headers.length);
  const tensors = new Map<string, TensorInfo>();
  for (const header of headers) {
    for (const tensor of header.tensors) {
      if (tensors.has(tensor.name)) {
        throw new NibbleError(
          "duplicate_key",
          `expected tensor ${JSON.stringify(tensor.name)} in one shard, got it in two`,
        );
      }
      tensors.set(tensor.name, tensor);
    }
  }
  const expected = count > 1 ? getNumber(first, "split.tensors.count", { integer: true, min: 0 }) : tensors.size;
  if (expected !== tensors.size) {
    throw new NibbleError("missing_tensor", `expected ${expected} tensors in all shards, got ${tensors.size}`);
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
      `expected split.no ${index} of split.count ${count}, got ${actual.no} of ${actual.count}`,
    );
  }
}
