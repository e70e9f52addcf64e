/**
 * The files that a host or the hub's cache opens for a model's name. Nothing has been read from them yet.
 * @module
 */
import type { ByteSource, FileSet } from "./byte-source.ts";

/** A GGUF file with the folder it lies in (for its other shards), or a Hugging Face folder. */
export type OpenedModel =
  | {
      readonly file: ByteSource;
      readonly siblings: FileSet | undefined;
      /** The file's name in its folder, unless the model's name ends in it. */
      readonly name?: string;
    }
  | { readonly files: FileSet };
