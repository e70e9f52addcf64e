/**
 * nibble and transformers.js as makers of sentence embeddings, in Node and in Chromium.
 * @module
 */
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Model } from "../../src/engine/model.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { testHost } from "../../test/helpers/models.ts";
import { openIsolated } from "./chromium.ts";

export interface Embedder {
  readonly name: string;
  /** Pooled vectors of length 1. */
  embed(texts: readonly string[]): Promise<ArrayLike<number>[]>;
  /** Embeds the batches one after the other. @returns the seconds that it took */
  time(batches: readonly (readonly string[])[]): Promise<number>;
}

/** Where the same weights lie: our two GGUF files, and the folder that export-onnx.py wrote. */
export interface EmbeddingFiles {
  readonly f32: string;
  readonly q8: string;
  readonly onnx: string;
}

export interface Embedders {
  readonly about: string;
  readonly embedders: readonly Embedder[];
  close(): Promise<void>;
}

/** The part of transformers.js that is used; it is not installed with the project. */
interface Transformers {
  readonly env: { allowRemoteModels: boolean; localModelPath: string; readonly version: string };
  pipeline(task: "feature-extraction", model: string, options: object): Promise<Extractor>;
}
type Extractor = (texts: readonly string[], options: object) => Promise<{ tolist(): number[][] }>;

const packages = new URL("transformers/node_modules/", import.meta.url);

function embedder(name: string, embed: Embedder["embed"]): Embedder {
  const time: Embedder["time"] = async (batches) => {
    const start = performance.now();
    for (const batch of batches) await embed(batch);
    return (performance.now() - start) / 1000;
  };
  return { name, embed, time };
}

/** In Node: nibble's builds for one and two threads, and onnxruntime's native library. */
export async function nodeEmbedders(files: EmbeddingFiles): Promise<Embedders> {
  const load = createLoad(testHost);
  const ours: { name: string; model: Model }[] = [];
  for (const { name, file, ...options } of [
    { name: "nibble F32, 1 thread", file: files.f32, threads: 1 },
    { name: "nibble Q8_0, 1 thread", file: files.q8, threads: 1 },
    { name: "nibble Q8_0, revectorize, 1 thread", file: files.q8, threads: 1, revectorize: true },
    { name: "nibble Q8_0, 2 threads", file: files.q8, threads: 2 },
    { name: "nibble Q8_0, revectorize, 2 threads", file: files.q8, threads: 2, revectorize: true },
  ])
    ours.push({ name, model: await load(file, options) });
  const entry = new URL("@huggingface/transformers/dist/transformers.node.mjs", packages);
  const { env, pipeline } = (await import(entry.href)) as Transformers;
  Object.assign(env, { allowRemoteModels: false, localModelPath: dirname(files.onnx) });
  const theirs: Embedder[] = [];
  for (const [threads, session_options] of [
    ["1 thread", { intraOpNumThreads: 1, interOpNumThreads: 1 }],
    ["default threads", {}],
  ] as const)
    for (const dtype of ["fp32", "q8"]) {
      const options = { dtype, device: "cpu", session_options };
      const extract = await pipeline("feature-extraction", basename(files.onnx), options);
      const embed: Embedder["embed"] = async (texts) =>
        (await extract(texts, { pooling: "mean", normalize: true })).tolist();
      theirs.push(embedder(`transformers.js ${dtype}, ${threads}`, embed));
    }
  return {
    about: `Node ${process.version}; transformers.js ${env.version} on onnxruntime-node`,
    embedders: [...ours.map(({ name, model }) => embedder(name, (texts) => model.embed(texts))), ...theirs],
    async close() {
      for (const { model } of ours) model.dispose();
    },
  };
}

/** In Chromium: nibble, and onnxruntime in WebAssembly. Both run in a worker, and so may use threads. */
export async function chromiumEmbedders(files: EmbeddingFiles): Promise<Embedders> {
  const folders: Readonly<Record<string, string>> = {
    dist: fileURLToPath(new URL("../../dist/", import.meta.url)),
    transformers: fileURLToPath(new URL("@huggingface/transformers/dist/", packages)),
    ort: fileURLToPath(new URL("onnxruntime-web/dist/", packages)),
    onnx: `${files.onnx}/`,
    page: fileURLToPath(new URL("embeddings/", import.meta.url)),
  };
  const { page, url, version, close } = await openIsolated((name) => {
    if (name === "/f32.gguf") return files.f32;
    if (name === "/q8.gguf") return files.q8;
    const [, folder = "", rest = ""] = /^\/(\w+)\/([\w/.-]+)$/.exec(name) ?? [];
    return Object.hasOwn(folders, folder) && !rest.includes("..") ? folders[folder] + rest : undefined;
  });
  try {
    await page.goto(`${url}/page/index.html`);
    await page.waitForFunction("window.ready");
    const names = await page.evaluate<string[]>("start()");
    const { version: peer } = JSON.parse(
      readFileSync(new URL("@huggingface/transformers/package.json", packages), "utf8"),
    );
    return {
      about: `Chromium ${version}; transformers.js ${peer} on onnxruntime-web (wasm)`,
      embedders: names.map((name, i) => ({
        name,
        embed: (texts) => page.evaluate(`embed(${i}, ${JSON.stringify(texts)})`),
        time: (batches) => page.evaluate(`time(${i}, ${JSON.stringify(batches)})`),
      })),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
