/**
 * The interface to a host. It holds only what differs between Node, browsers and Workers. The steps to add a host are
 * in src/hosts/README.md.
 * @module
 */
import type { OpenedModel } from "../io/opened-model.ts";
import type { Build } from "../runtime/kernels.ts";
import type { StartThread } from "../runtime/threads.ts";

export interface Host {
  readonly name: string;
  /** The module of a build, which is compiled once per process. @throws NibbleError `unsupported_host` */
  wasm(build: Build): Promise<WebAssembly.Module>;
  /**
   * The module of a build as V8's revectorizer compiles it, once per process; undefined if its kernels then compute other
   * bits, or if this V8 cannot pack them. A host without it cannot take the option `revectorize`. @throws NibbleError `unsupported_host`
   */
  revectorized?(build: Build): Promise<WebAssembly.Module | undefined>;
  /** How many threads the host can run at once: its cores, or 1. */
  threads(): Promise<number>;
  /** Starts a helping thread. @throws NibbleError `unsupported_host` where there are none, or where it fails to start */
  startThread: StartThread;
  /** True where timers end with the request that set them, so that each request needs a loop of its own. */
  readonly loopPerRequest?: boolean;
  /**
   * Most bytes of WebAssembly memory for a caller who sets no `memoryLimit`, and the reason as a sentence that says what to
   * do; for hosts that end a program which takes more.
   */
  readonly memory?: { readonly limit: number; readonly reason: string };
  /** Opens a model by its name, path or URL. @throws NibbleError `missing_file`, `unsupported_host` */
  open(name: string): Promise<OpenedModel>;
}
