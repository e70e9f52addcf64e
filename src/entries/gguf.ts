/**
 * `nibble-llm/gguf`: reads the headers of GGUF files, without the runtime.
 * @module
 */
import { invalid } from "../base/fields.ts";
import type { Checkpoint, Metadata } from "../formats/checkpoint.ts";
import { type GgufHeader, readGgufHeader as readPackedHeader } from "../formats/gguf/header.ts";
import { readGguf as readPacked } from "../formats/gguf/model.ts";
import { GgufMetadata } from "../formats/gguf/packed-metadata.ts";
import type { FormatLimits } from "../formats/limits.ts";
import { type ByteSource, isSource } from "../io/byte-source.ts";

export { NibbleError } from "../base/errors.ts";
export type * from "../formats/checkpoint.ts";
export { type GgufHeader, isGguf } from "../formats/gguf/header.ts";
export { blobSource, bytesSource } from "../io/memory-source.ts";
export { type StreamedFile, streamSource } from "../io/stream-source.ts";
export { urlSource } from "../io/url-source.ts";

/**
 * Reads the header of a model from its GGUF file, or from all its shards in order. The sources stay open, because the
 * checkpoint's tensors point into them; its `close` closes them. After an error, the caller closes them.
 * @param limits bounds of counts and lengths in the header; beyond them the file is refused
 * @throws NibbleError with a format code. Nothing is allocated that is larger than the file itself explains.
 */
export async function readGguf(
  sources: ByteSource | readonly ByteSource[],
  limits: Partial<FormatLimits> = {},
): Promise<Checkpoint> {
  const all: readonly unknown[] = Array.isArray(sources) ? sources : [sources];
  for (const source of all) checkSource(source);
  return unpacked(await readPacked(sources, limits));
}

/**
 * Reads and checks the header of one GGUF file, which need not be a model.
 * @param limits bounds of counts and lengths in the header; beyond them the file is refused
 * @throws NibbleError with a format code
 */
export async function readGgufHeader(source: ByteSource, limits: Partial<FormatLimits> = {}): Promise<GgufHeader> {
  checkSource(source);
  return unpacked(await readPackedHeader(source, limits));
}

function checkSource(source: unknown): void {
  if (!isSource(source)) throw invalid("source", "a ByteSource with size and read", source, "invalid_argument");
}

function unpacked<T extends { readonly metadata: Metadata }>(read: T): T {
  if (read.metadata instanceof GgufMetadata) read.metadata.unpack();
  return read;
}
