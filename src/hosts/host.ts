/**
 * What differs between hosts, and nothing else: where the wasm builds are, and how a name becomes bytes.
 * @module
 */
import type { ByteSource, FileSet } from "../formats/types.ts";
import type { Build } from "../runtime/kernels.ts";
import type { StartThread } from "../runtime/threads.ts";

/** A GGUF file with the folder it lies in (for its other shards), or a Hugging Face folder. */
export type OpenedModel =
  | {
      readonly file: ByteSource;
      readonly siblings: FileSet | undefined;
      /** The file's name in its folder, where the model's own name does not end in it. */
      readonly name?: string;
    }
  | { readonly files: FileSet };

export interface Host {
  readonly name: string;
  /** The compiled module of a build; compiled once. */
  wasm(build: Build): Promise<WebAssembly.Module>;
  /** Threads that this host would use by itself. */
  threads(): Promise<number>;
  startThread: StartThread;
  /** Timers end with the request that set them: see `SchedulerOptions`. */
  readonly loopPerRequest?: boolean;
  /** Opens a model by name or path. @throws NibbleError `missing_file` */
  open(name: string): Promise<OpenedModel>;
}
