/**
 * A model from one GGUF file or from all its shards.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import type { Checkpoint } from "../checkpoint.ts";
import type { FormatLimits } from "../limits.ts";
import { isPermuted } from "../permute.ts";
import { getString } from "../typed-values.ts";
import { type GgufHeader, readGgufHeader } from "./header.ts";
import { joinShards } from "./shards.ts";

/**
 * Reads a model from its GGUF file, or from all its shards in order (names: `splitNames`).
 * The sources stay open, because the checkpoint's tensors are read from them; its `close` closes them. After an error
 * the caller has to close them.
 * @throws NibbleError with a format code. No more memory is allocated than the length of the file accounts for.
 */
export async function readGguf(
  sources: ByteSource | readonly ByteSource[],
  limits: Partial<FormatLimits> = {},
): Promise<Checkpoint> {
  const shards = Array.isArray(sources) ? (sources as readonly ByteSource[]) : [sources as ByteSource];
  if (shards.length === 0) throw new NibbleError("invalid_argument", "sources: at least one GGUF file is required");
  const headers: GgufHeader[] = [];
  for (const shard of shards) headers.push(await readGgufHeader(shard, limits));
  const { metadata, encodedMetadata } = headers[0]!;
  const architecture = getString(metadata, "general.architecture");
  return {
    format: "gguf",
    architecture,
    metadata,
    encodedMetadata,
    tensors: joinShards(headers),
    permutedQK: isPermuted(architecture),
    headerBytes: headers.reduce((sum, header) => sum + header.bytesRead, 0),
    async close() {
      for (const shard of shards) await shard.close?.();
    },
  };
}
