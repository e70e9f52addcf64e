/**
 * llama.cpp native as a judge: `node llama-cpp.ts` reads questions as lines of JSON and answers each with a line. The
 * library is that of bench/peers (@node-llama-cpp/linux-x64); its addon's interface is not public, so the version is pinned
 * there. It runs in a process of its own, because a failed assertion of llama.cpp ends the process.
 * @module
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Question {
  /** A GGUF file. */
  readonly model: string;
  readonly prompt: readonly number[];
  /** Greedy tokens wanted after the prompt. */
  readonly count: number;
}

export interface Judgement {
  /** Greedy tokens. */
  readonly tokens: readonly number[];
  /** The logits after the prompt's last token, by id. */
  readonly logits: readonly number[];
}

/** The part of node-llama-cpp's AddonTypes.d.ts that is used. */
interface Addon {
  readonly AddonModel: new (path: string, options: object) => { init(): Promise<boolean>; dispose(): Promise<void> };
  readonly AddonContext: new (model: object, options: object) => Context;
  readonly AddonSampler: new (model: object) => { applyConfig(config: object): void };
  loadBackends(folder: string): void;
  init(): Promise<void>;
  setLoggerLogLevel(level: number): void;
}
interface Context {
  init(): Promise<boolean>;
  dispose(): Promise<void>;
  initBatch(size: number): void;
  addToBatch(sequence: number, position: number, tokens: Uint32Array, logits: Uint32Array): Uint32Array;
  decodeBatch(): Promise<void>;
  sampleToken(
    index: number,
    sampler: object,
    probabilities: boolean,
    confidence: boolean,
    logits: boolean,
  ): Promise<[token: number, undefined, undefined, idsAndLogits: number[]]>;
}

const F32 = 0; // ggml's type of keys and values: F16 moves logits by 5e-3

async function answer(addon: Addon, { model: path, prompt, count }: Question): Promise<Judgement> {
  const model = new addon.AddonModel(path, { addonExports: addon, useMmap: true, gpuLayers: 0 });
  if (!(await model.init())) throw new Error(`llama.cpp could not load ${path}`);
  const size = { contextSize: 256, batchSize: 256, sequences: 1, threads: 1 };
  const context = new addon.AddonContext(model, {
    ...size,
    flashAttention: false,
    kvCacheKeyType: F32,
    kvCacheValueType: F32,
  });
  if (!(await context.init())) throw new Error(`llama.cpp made no context for ${path}`);
  const sampler = new addon.AddonSampler(model);
  sampler.applyConfig({ temperature: 0 });
  const tokens: number[] = [];
  const logits: number[] = [];
  let [position, next] = [0, prompt];
  while (tokens.length < count) {
    context.initBatch(next.length);
    const [index] = context.addToBatch(0, position, Uint32Array.from(next), Uint32Array.of(next.length - 1));
    await context.decodeBatch();
    const [token, , , all] = await context.sampleToken(index!, sampler, false, false, true);
    if (tokens.length === 0) for (let i = 0; i < all.length; i += 2) logits[all[i]!] = all[i + 1]!;
    tokens.push(token);
    position += next.length;
    next = [token];
  }
  await context.dispose();
  await model.dispose();
  return { tokens, logits };
}

const libraries = new URL("../../bench/peers/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/", import.meta.url);
const addon: Addon = createRequire(import.meta.url)(fileURLToPath(new URL("llama-addon.node", libraries)));
addon.setLoggerLogLevel(1);
addon.loadBackends(fileURLToPath(libraries));
await addon.init();
for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await answer(addon, JSON.parse(line)))}\n`);
