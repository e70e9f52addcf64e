/**
 * `nibble-llm/gguf`: headers of GGUF files, without the runtime.
 * @module
 */
export { NibbleError } from "./errors.ts";
export { type GgufHeader, isGguf, readGguf, readGgufHeader } from "./formats/gguf.ts";
export { blobSource, bytesSource } from "./formats/sources.ts";
export { type StreamedFile, streamSource } from "./formats/stream-source.ts";
export type * from "./formats/types.ts";
export { urlSource } from "./hosts/url-source.ts";
