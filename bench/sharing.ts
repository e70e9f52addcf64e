/**
 * Measures the gain of sharing between requests: the time to the first token with and without a cached prefix, answers
 * together and one after the other, and a session saved and restored. Run it as `node bench/sharing.ts MODEL.gguf
 * [THREADS]`.
 * @module
 */
import { createLoad } from "../src/load/create-load.ts";
import { testHost } from "../test/helpers/models.ts";
import { spread, spreadText } from "./statistics.ts";

const PREFIX = 1000;
const REQUESTS = 8;
const ANSWER = 48;
const ROUNDS = 5;

const [file, threads = "1"] = process.argv.slice(2);
if (file === undefined) throw new Error("the path of a GGUF file is required");
const model = await createLoad(testHost)(file, { contextLength: 2048, cacheTokens: 8192, threads: Number(threads) });

/** Token ids whose order depends on the seed. */
const ids = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => 300 + ((i * 7919 + seed * 104729) % (model.info.vocabSize - 300)));

/** Answers, and returns the milliseconds to the first token. */
async function answer(prompt: readonly number[], maxTokens: number): Promise<number> {
  const start = performance.now();
  let first = Number.NaN;
  const sampling = { temperature: 0.8, seed: 1 };
  for await (const event of model.generate({ prompt, maxTokens, endIds: [], draftMax: 0, sampling }))
    if (event.type === "token" && Number.isNaN(first)) first = performance.now() - start;
  return first;
}

async function timed(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

const samples = new Map<string, number[]>();
const add = (name: string, value: number) => samples.set(name, [...(samples.get(name) ?? []), value]);

await answer(ids(64, 1), 8);
for (let round = 0; round < ROUNDS; round++) {
  const seed = 100 * round;
  const prefix = ids(PREFIX, seed);
  model.clearPrefixCache();
  add("first token, no prefix known, ms", await answer([...prefix, ...ids(20, seed + 1)], 1));
  add(`first token, ${PREFIX} of ${PREFIX + 20} known, ms`, await answer([...prefix, ...ids(20, seed + 2)], 1));

  const session = model.session();
  session.forward(prefix, { logits: "none" });
  let bytes = new Uint8Array();
  add(`saving a session of ${PREFIX} tokens, ms`, await timed(() => {
    bytes = session.save() as Uint8Array<ArrayBuffer>;
  })); // biome-ignore format: one call
  session.dispose();
  model.clearPrefixCache();
  add("restoring it, ms", await timed(() => model.restore(bytes).dispose()));

  const prompts = Array.from({ length: REQUESTS }, (_, i) => ids(32, seed + 10 + i));
  const tokens = 1000 * REQUESTS * ANSWER;
  model.clearPrefixCache();
  const apart = await timed(async () => {
    for (const prompt of prompts) await answer(prompt, ANSWER);
  });
  model.clearPrefixCache();
  const together = await timed(() => Promise.all(prompts.map((prompt) => answer(prompt, ANSWER))));
  add(`${REQUESTS} requests one after the other, tokens/s`, tokens / apart);
  add(`${REQUESTS} requests together, tokens/s`, tokens / together);
  add("together, times as fast", apart / together);
}
for (const [name, values] of samples) console.log(`${spreadText(spread(values)).padStart(24)}  ${name}`);
model.dispose();
