/**
 * The port to a host: what differs between Node, browsers and Workers, and nothing else.
 *
 * How to add a host:
 * 1. A folder `src/hosts/<name>/` whose `host.ts` exports a `Host`. Importing it must run nothing and need no global of
 *    the host, because bundlers and tests import it elsewhere (`test/hosts/imports.test.ts`).
 * 2. If the host has threads, an entry for them that calls `serveThread` (as `src/hosts/node/thread.ts` does), and
 *    `startThread`, which starts it.
 * 3. If pulled models are kept, a `ModelCache` (`src/hub/cache.ts`): `pieceCache` makes one of any store that keeps bytes
 *    under names.
 * 4. An entry `src/entries/<name>.ts` with `createLoad(host)` and `createPlan(host)`, and a row for it in
 *    `scripts/entries.mjs`, from which the bundles and the exports of package.json are made.
 * 5. A run of the host in `test/slow/hosts/hosts.test.ts`.
 * @module
 */
import type { OpenedModel } from "../io/opened-model.ts";
import type { Build } from "../runtime/kernels.ts";
import type { StartThread } from "../runtime/threads.ts";

export interface Host {
  readonly name: string;
  /** The module of a build, which is compiled once per process. @throws NibbleError `unsupported_host` */
  wasm(build: Build): Promise<WebAssembly.Module>;
  /** How many threads the host can run at once: its cores, or 1. */
  threads(): Promise<number>;
  /** Starts a helping thread. @throws NibbleError `unsupported_host` where there are none, or where it fails to start */
  startThread: StartThread;
  /** True where timers end with the request that set them, so that each request needs a loop of its own. */
  readonly loopPerRequest?: boolean;
  /** Opens a model by its name, path or URL. @throws NibbleError `missing_file`, `unsupported_host` */
  open(name: string): Promise<OpenedModel>;
}
