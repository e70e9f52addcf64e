/**
 * Splits a GGUF into several files and merges them again (llama.cpp, tools/gguf-split). The first shard has all metadata;
 * each has its place in the keys `split.*` and some of the tensors, in order.
 * @module
 */
import { NibbleError } from "../src/base/errors.ts";
import type { Checkpoint, TensorInfo } from "../src/formats/checkpoint.ts";
import { splitNames } from "../src/formats/gguf/shards.ts";
import { defaultLimits } from "../src/formats/limits.ts";
import { encodedMetadata } from "./gguf/metadata.ts";
import { type ByteSink, type HeaderMetadata, writeGguf } from "./gguf/writer.ts";
import { readRaw } from "./source-tensors.ts";

/** How large a shard may be: how many tensors, or how many bytes of tensor data. */
export type ShardLimit =
  | { readonly tensors: number }
  /** A tensor that is larger than the limit gets a shard of its own. */
  | { readonly bytes: number };

/** The tensors of each shard. A model that is split already is split anew. */
export interface SplitPlan {
  readonly checkpoint: Checkpoint;
  readonly shards: readonly (readonly TensorInfo[])[];
}

/**
 * Distributes the tensors among shards.
 * @throws NibbleError `invalid_argument` for a folder or a limit below 1; `limit_exceeded` for too many shards
 */
export function planSplit(checkpoint: Checkpoint, limit: ShardLimit): SplitPlan {
  checkGguf(checkpoint);
  const bytes = "bytes" in limit ? limit.bytes : Number.POSITIVE_INFINITY;
  const count = "tensors" in limit ? limit.tensors : Number.POSITIVE_INFINITY;
  if (!(Math.min(bytes, count) >= 1))
    throw new NibbleError("invalid_argument", `shard limit: expected at least 1, got ${Math.min(bytes, count)}`);
  const shards: TensorInfo[][] = [[]];
  let size = 0;
  for (const tensor of checkpoint.tensors.values()) {
    const shard = shards.at(-1)!;
    if (shard.length > 0 && (shard.length >= count || size + tensor.byteLength > bytes)) {
      shards.push([tensor]);
      size = tensor.byteLength;
    } else {
      shard.push(tensor);
      size += tensor.byteLength;
    }
  }
  if (shards.length > defaultLimits.shards) {
    throw new NibbleError(
      "limit_exceeded",
      `number of shards: expected at most ${defaultLimits.shards}, got ${shards.length}; larger shards give fewer`,
    );
  }
  return { checkpoint, shards };
}

/** The names of all shards, as llama.cpp has them: `PREFIX-00001-of-00003.gguf`, ... */
export function shardNames(prefix: string, count: number): string[] {
  return splitNames(`${prefix}-00001-of-${String(count).padStart(5, "0")}.gguf`)!;
}

/**
 * Writes shard `index`, counted from 0.
 * @returns bytes written
 * @throws what the source and the sink reject with
 */
export async function writeShard({ checkpoint, shards }: SplitPlan, index: number, sink: ByteSink): Promise<number> {
  const metadata: HeaderMetadata = new Map([
    ...(index === 0 ? await encodedMetadata(checkpoint) : []),
    ["split.no", index],
    ["split.count", shards.length],
    ["split.tensors.count", checkpoint.tensors.size],
  ]);
  return writeGguf(sink, metadata, shards[index]!, readRaw);
}

/**
 * Writes all shards of an open model as one file. It has the bytes that were split if they were GGUF version 3.
 * @returns bytes written
 * @throws NibbleError `invalid_argument` for a folder; what the source and the sink reject with
 */
export async function merge(checkpoint: Checkpoint, sink: ByteSink): Promise<number> {
  checkGguf(checkpoint);
  return writeGguf(sink, await encodedMetadata(checkpoint), [...checkpoint.tensors.values()], readRaw);
}

function checkGguf({ format }: Checkpoint): void {
  if (format !== "gguf")
    throw new NibbleError(
      "invalid_argument",
      "a Hugging Face folder cannot be split or merged; convert it to GGUF first",
    );
}
