/**
 * Cloudflare Workers.
 * @module
 */

import { workerdHost } from "../hosts/workerd/host.ts";
import { createLoad, createPlan, type Load, type Plan } from "../load/create-load.ts";

export * from "./public.ts";

/**
 * Loads a model: an R2 object (`await env.BUCKET.get(key)`), a Response, an URL, bytes, a stream of known size, a
 * `ByteSource` or a `FileSet`. Weights are streamed into their place; keep the model for all requests of the isolate.
 * @throws NibbleError as in the package's main entry
 */
export const load: Load = /* @__PURE__ */ createLoad(workerdHost);

/**
 * The memory that `load` would take, from the header alone: no weight is read.
 * @throws NibbleError as `load`, before its first weight: `out_of_memory` with figures where the model does not fit
 */
export const plan: Plan = /* @__PURE__ */ createPlan(workerdHost);
