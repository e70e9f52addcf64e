/**
 * Embeds texts in a worker of a page: nibble and transformers.js with as many threads as the URL says.
 * @module
 */
import { load } from "/dist/browser.js";
import { env, pipeline } from "/transformers/transformers.min.js";

const threads = Number(new URL(location.href).searchParams.get("threads"));
const suffix = threads === 1 ? "1 thread" : `${threads} threads`;
const embedders = [];

const calls = {
  async start() {
    for (const [type, file] of [
      ["F32", "/f32.gguf"],
      ["Q8_0", "/q8.gguf"],
    ]) {
      const model = await load(new URL(file, location.href).href, { threads });
      const embed = async (texts) => (await model.embed(texts)).map((vector) => [...vector]);
      embedders.push({ name: `nibble ${type}, ${suffix}`, embed });
    }
    Object.assign(env, {
      allowRemoteModels: false,
      allowLocalModels: true,
      localModelPath: "/",
      useBrowserCache: false,
    });
    Object.assign(env.backends.onnx.wasm, { numThreads: threads, wasmPaths: new URL("/ort/", location.href).href });
    for (const dtype of ["fp32", "q8"]) {
      const extract = await pipeline("feature-extraction", "onnx", { dtype, device: "wasm" });
      const embed = async (texts) => (await extract(texts, { pooling: "mean", normalize: true })).tolist();
      embedders.push({ name: `transformers.js ${dtype}, ${suffix}`, embed });
    }
    return embedders.map(({ name }) => name);
  },
  embed: (i, texts) => embedders[i].embed(texts),
  /** Returns seconds. */
  async time(i, batches) {
    const start = performance.now();
    for (const batch of batches) await embedders[i].embed(batch);
    return (performance.now() - start) / 1000;
  },
};

self.onmessage = async ({ data: { call, values } }) => {
  try {
    postMessage({ result: await calls[call](...values) });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
};
