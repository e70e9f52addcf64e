/**
 * What a model may be read from.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ByteSource, FileSet } from "../io/byte-source.ts";
import { blobSource, bytesSource } from "../io/memory-source.ts";
import type { OpenedModel } from "../io/opened-model.ts";
import { type StreamedFile, streamSource } from "../io/stream-source.ts";
import { streamedResponse } from "../io/url-source.ts";
import type { Host } from "./host.ts";

/**
 * A model's name, path or URL, its bytes, a Blob or File, a Response, an R2 object or another stream of known size,
 * anything that can be read at an offset, or the files of a folder. A stream goes into its place as it comes.
 */
export type ModelSource =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | Blob
  | Response
  | StreamedFile
  | ByteSource
  | FileSet;

/** One file with its name, or a folder's. @throws NibbleError `invalid_argument`, `missing_file` */
export async function openSource(source: ModelSource, host: Host): Promise<OpenedModel> {
  const alone = (file: ByteSource): OpenedModel => ({ file, siblings: undefined });
  if (typeof source === "string" || source instanceof URL) {
    const name = String(source);
    return { name, ...(await host.open(name)) };
  }
  if (source instanceof ArrayBuffer) return alone(bytesSource(new Uint8Array(source)));
  if (source instanceof Uint8Array) return alone(bytesSource(source));
  if (source instanceof Blob) return alone(blobSource(source));
  if (source instanceof Response) return alone(streamSource(streamedResponse(source)));
  if (typeof source === "object" && source !== null) {
    if ("body" in source && source.body instanceof ReadableStream && isSize(source.size))
      return alone(streamSource(source));
    if ("read" in source && isSize(source.size)) return alone(source);
    if ("open" in source) return { files: source };
  }
  throw new NibbleError(
    "invalid_argument",
    `expected a name, bytes, a Blob, a Response, a stream or ByteSource with a size, or a FileSet, got ${source === null ? "null" : typeof source}`,
  );
}

function isSize(size: unknown): boolean {
  return Number.isSafeInteger(size) && (size as number) >= 0;
}
