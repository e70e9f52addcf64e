/**
 * Browsers: `load` on the page's own thread, `loadInWorker` beside it.
 * @module
 */

import { browserHost } from "../hosts/browser/host.ts";
import { browserHub } from "../hosts/browser/hub.ts";
import { createModels, type Models } from "../hub/models.ts";
import { createLoad, createPlan, type Load, type Plan } from "../load/create-load.ts";

export { type LoadInWorkerOptions, loadInWorker, type WorkerModel } from "../hosts/web-worker/load-in-worker.ts";
export * from "./public.ts";

/**
 * Loads a model: a name (`"crumb"`; `"smollm2:135m"` or `"hf:owner/repo:q4_k_m"`, fetched once and kept in the browser's
 * storage), an URL (relative to the page), a Blob or File (dropped, or of OPFS), bytes, a Response, a
 * stream of known size, a `ByteSource` or a `FileSet`. The page stands still while a step runs; see `loadInWorker`.
 * @throws NibbleError as in the package's main entry
 */
export const load: Load = /* @__PURE__ */ createLoad(browserHost);

/**
 * The memory that `load` would take, from the header alone: no weight is read.
 * @throws NibbleError as `load`, before its first weight: `out_of_memory` with figures where the model does not fit
 */
export const plan: Plan = /* @__PURE__ */ createPlan(browserHost);

/** Models by name: fetched ahead of `load`, with progress; listed; deleted. */
export const models: Models = /* @__PURE__ */ createModels(browserHub);
