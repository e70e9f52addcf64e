/**
 * The entry for browsers: `load` runs a model on the page's own thread, and `loadInWorker` in a Web Worker.
 * @module
 */
import { browserHost } from "../hosts/browser/host.ts";
import { browserHub } from "../hosts/browser/hub.ts";
import { createModels, type Models } from "../hub/models.ts";
import { createLoad, createPlan, type Load, type Plan } from "../load/create-load.ts";

export { type LoadInWorkerOptions, loadInWorker, type WorkerModel } from "../hosts/web-worker/load-in-worker.ts";
export * from "./public.ts";

/**
 * Loads a model. The source is one of
 * - a name: `"crumb"`, which is inside the package, or `"smollm2:135m"` or `"hf:owner/repo:q4_k_m"`, which are fetched once
 *   and kept in the browser's storage;
 * - a URL, relative to the page;
 * - a Blob or File, bytes, a Response, a stream of known size, a `ByteSource` or a `FileSet`.
 *
 * The page does not respond while a step runs; with `loadInWorker` it does.
 * @throws NibbleError as `load` of the package's main entry
 */
export const load: Load = /* @__PURE__ */ createLoad(browserHost);

/**
 * Tells the memory, in bytes, that `load` would take with the same source and options. It reads the header and no weights.
 * @throws NibbleError as `load`; `out_of_memory`, with the figures, for a model that does not fit
 */
export const plan: Plan = /* @__PURE__ */ createPlan(browserHost);

/** Models by name: `pull` fetches one before `load` needs it, `list` lists them, and `remove` deletes one. */
export const models: Models = /* @__PURE__ */ createModels(browserHub);
