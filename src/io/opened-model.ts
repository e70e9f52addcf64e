/**
 * What a host or the hub's cache opens for a name: files, before anything is read of them.
 * @module
 */
import type { ByteSource, FileSet } from "./byte-source.ts";

/** A GGUF file with the folder it lies in (for its other shards), or a Hugging Face folder. */
export type OpenedModel =
  | {
      readonly file: ByteSource;
      readonly siblings: FileSet | undefined;
      /** The file's name in its folder, where the model's own name does not end in it. */
      readonly name?: string;
    }
  | { readonly files: FileSet };
