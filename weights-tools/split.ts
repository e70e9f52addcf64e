/**
 * One GGUF as several files, and back (llama.cpp, tools/gguf-split): the first shard has all metadata, each has its
 * place in `split.*` and some of the tensors, in order.
 * @module
 */
import { NibbleError } from "../src/base/errors.ts";
import type { Checkpoint, TensorInfo } from "../src/formats/checkpoint.ts";
import { splitNames } from "../src/formats/gguf/shards.ts";
import { defaultLimits } from "../src/formats/limits.ts";
import { encodedMetadata } from "./gguf/metadata.ts";
import { type ByteSink, type HeaderMetadata, writeGguf } from "./gguf/writer.ts";
import { readRaw } from "./source-tensors.ts";

/** How large a shard may be. */
export type ShardLimit =
  | { readonly tensors: number }
  /** Of tensor data; a tensor that is larger has a shard of its own. */
  | { readonly bytes: number };

/** The tensors of each shard. A model that was split already is divided anew. */
export interface SplitPlan {
  readonly checkpoint: Checkpoint;
  readonly shards: readonly (readonly TensorInfo[])[];
}

/** @throws NibbleError `invalid_argument` for a folder or a limit below 1; `limit_exceeded` for too many shards */
export function planSplit(checkpoint: Checkpoint, limit: ShardLimit): SplitPlan {
  checkGguf(checkpoint);
  const bytes = "bytes" in limit ? limit.bytes : Number.POSITIVE_INFINITY;
  const count = "tensors" in limit ? limit.tensors : Number.POSITIVE_INFINITY;
  if (!(Math.min(bytes, count) >= 1))
    throw new NibbleError("invalid_argument", `expected a limit of at least 1, got ${Math.min(bytes, count)}`);
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
      `expected at most ${defaultLimits.shards} shards, got ${shards.length}; set a higher limit for a shard`,
    );
  }
  return { checkpoint, shards };
}

/** llama.cpp's names: `PREFIX-00001-of-00003.gguf`, ... */
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
 * Writes all shards of an open model as one file: the bytes that were split, if they were GGUF version 3.
 * @returns bytes written
 * @throws NibbleError `invalid_argument` for a folder; what the source and the sink reject with
 */
export async function merge(checkpoint: Checkpoint, sink: ByteSink): Promise<number> {
  checkGguf(checkpoint);
  return writeGguf(sink, await encodedMetadata(checkpoint), [...checkpoint.tensors.values()], readRaw);
}

function checkGguf({ format }: Checkpoint): void {
  if (format !== "gguf")
    throw new NibbleError("invalid_argument", "expected a GGUF file, got a Hugging Face folder; convert it first");
}
