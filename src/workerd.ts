/**
 * Cloudflare Workers.
 * @module
 */
import { createLoad, type Load } from "./create-load.ts";
import { workerdHost } from "./hosts/workerd.ts";

export * from "./public.ts";

/**
 * Loads a model: an R2 object (`await env.BUCKET.get(key)`), a Response, an URL, bytes, a stream of known size, a
 * `ByteSource` or a `FileSet`. Weights are streamed into their place; keep the model for all requests of the isolate.
 * @throws NibbleError as in the package's main entry
 */
export const load: Load = /* @__PURE__ */ createLoad(workerdHost);
