/**
 * The entry for Cloudflare Workers.
 * @module
 */
import { workerdHost } from "../hosts/workerd/host.ts";
import { createLoad, createPlan, type Load, type Plan } from "../load/create-load.ts";

export * from "./public.ts";

/**
 * Loads a model. The source is an R2 object (`await env.BUCKET.get(key)`), a Response, an http or https URL, bytes, a stream
 * of known size, a `ByteSource` or a `FileSet`. Its weights are streamed into their place in memory. Keep the model for all
 * requests of the isolate.
 * @throws NibbleError as `load` of the package's main entry; `unsupported_host` for a name, or for more than one thread
 */
export const load: Load = /* @__PURE__ */ createLoad(workerdHost);

/**
 * Tells the memory, in bytes, that `load` would take with the same source and options. It reads the header and no weights.
 * @throws NibbleError as `load`; `out_of_memory`, with the figures, for a model that does not fit
 */
export const plan: Plan = /* @__PURE__ */ createPlan(workerdHost);
