/**
 * Cloudflare Workers (workerd): no compiling at run time, no threads, no files. wrangler compiles the imported module.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { urlSource } from "../../io/url-source.ts";
import type { Host } from "../../load/host.ts";
import relaxed from "./wasm/relaxed.wasm";

const refuse = (expected: string, got: string): never => {
  throw new NibbleError("unsupported_host", `Workers: expected ${expected}, got ${got}`);
};

export const workerdHost: Host = {
  name: "workerd",
  wasm: async (build) => (build === "relaxed" ? relaxed : refuse("the relaxed build, or the option wasm", build)),
  threads: async () => 1,
  loopPerRequest: true,
  startThread: async () => refuse("one thread", "more"),
  async open(name) {
    if (/^https?:/.test(name)) return { file: await urlSource(new URL(name)), siblings: undefined };
    if (name === "crumb") return refuse('load(crumb) with: import crumb from "nibble-llm/crumb.gguf"', '"crumb"');
    return refuse("an URL, an R2 object, a Response or bytes", JSON.stringify(name));
  },
};
