/**
 * What differs between hosts, and nothing else: where the wasm builds are, and how a name becomes bytes.
 * @module
 */
import type { OpenedModel } from "../io/opened-model.ts";
import type { Build } from "../runtime/kernels.ts";
import type { StartThread } from "../runtime/threads.ts";

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
