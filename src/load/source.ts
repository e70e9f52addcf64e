/**
 * The sources that a model may be read from.
 * @module
 */
import { invalid } from "../base/fields.ts";
import { type ByteSource, checkedFiles, type FileSet, isSource } from "../io/byte-source.ts";
import { blobSource, bytesSource } from "../io/memory-source.ts";
import type { OpenedModel } from "../io/opened-model.ts";
import { type StreamedFile, streamSource } from "../io/stream-source.ts";
import { responseSource } from "../io/url-source.ts";
import type { Host } from "./host.ts";

/**
 * A model's name, path or URL; its bytes; a Blob or File; a Response, an R2 object or another stream of known size; a
 * `ByteSource`, which can be read at any offset; or a `FileSet`, the files of a folder. The weights of a stream go into
 * their place in memory as they arrive.
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

/**
 * Opens a source: one file, with the folder it lies in where that is known, or a whole folder.
 * @throws NibbleError `invalid_argument` for a value of no such kind; what the host throws for a name, such as
 *   `missing_file`
 */
export async function openSource(source: ModelSource, host: Host): Promise<OpenedModel> {
  const alone = (file: ByteSource): OpenedModel => ({ file, siblings: undefined });
  if (typeof source === "string" || source instanceof URL) {
    const name = String(source);
    return { name, ...(await host.open(name)) };
  }
  // A buffer that was transferred has no bytes, and no view of it can be made.
  if ((source instanceof ArrayBuffer || source instanceof Uint8Array) && source.byteLength === 0)
    return alone(bytesSource(new Uint8Array()));
  if (source instanceof ArrayBuffer) return alone(bytesSource(new Uint8Array(source)));
  if (source instanceof Uint8Array) return alone(bytesSource(source));
  if (source instanceof Blob) return alone(blobSource(source));
  if (source instanceof Response) return alone(await responseSource(source));
  if (typeof source === "object" && source !== null) {
    if ("body" in source && source.body instanceof ReadableStream && isSize(source.size))
      return alone(streamSource(source));
    if (isSource(source)) return alone(source);
    if ("open" in source && typeof source.open === "function" && typeof source.has === "function")
      return { files: checkedFiles(source) };
  }
  const kinds = "a name, bytes, a Blob, a Response, a stream or ByteSource with a size, or a FileSet";
  throw invalid("source", kinds, source, "invalid_argument");
}

/** The last part of a path or URL; undefined for a source without a name. */
export function sourceName(source: unknown): string | undefined {
  if (typeof source !== "string" && !(source instanceof URL)) return undefined;
  const name = String(source)
    .replace(/[\\/]+$/, "")
    .split(/[\\/]/)
    .pop();
  return name || undefined;
}

function isSize(size: unknown): boolean {
  return Number.isSafeInteger(size) && (size as number) >= 0;
}
