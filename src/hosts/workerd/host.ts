/**
 * The host for Cloudflare Workers (workerd), which have no threads, no files, and do not compile at run time: wrangler
 * compiles the imported module.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { urlSource } from "../../io/url-source.ts";
import type { Host } from "../../load/host.ts";
import relaxed from "./wasm/relaxed.wasm";

const refuse = (message: string): never => {
  throw new NibbleError("unsupported_host", `Workers: ${message}`);
};

export const workerdHost: Host = {
  name: "workerd",
  wasm: async (build) =>
    build === "relaxed"
      ? relaxed
      : refuse(`the ${build} build is not part of this entry; import its module and pass it as the option wasm`),
  threads: async () => 1,
  loopPerRequest: true,
  memory: {
    limit: 96 * 2 ** 20,
    reason:
      "A Worker has 128 MB, WebAssembly memory and JavaScript heap together, and is ended beyond; take a smaller model or " +
      "weight type, or a smaller contextLength, maxBatchTokens, maxLogitRows or kvType, or set memoryLimit yourself.",
  },
  startThread: async () => refuse("there is one thread; more are not supported"),
  async open(name) {
    if (/^https?:/.test(name)) return { file: await urlSource(new URL(name)), siblings: undefined };
    if (name === "crumb")
      return refuse(
        'models by name are not supported; use: import crumb from "nibble-llm/crumb.gguf", then load(crumb)',
      );
    return refuse(`expected a URL, an R2 object, a Response or bytes, got ${JSON.stringify(name)}`);
  },
};
