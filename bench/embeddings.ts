/**
 * Measures sentence embeddings of MiniLM-L6 by turns in nibble and in transformers.js: texts per second in calls of one text
 * and of 32, of the same lengths and of different ones.
 *
 *   node bench/embeddings.ts ONNX_FOLDER [node|chromium] [SECONDS]
 *
 * bench/peers/export-onnx.py makes the folder. The texts are those of test/fixtures/real-models/minilm-l6.json.gz, and every
 * engine must reproduce the recorded embeddings before it is timed.
 * @module
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { gunzipSync } from "node:zlib";
import { fetchFolder, minilm } from "../scripts/fetch-model.ts";
import { openCheckpoint } from "../src/load/checkpoint.ts";
import { floats, root, testHost } from "../test/helpers/models.ts";
import { writeFileAtomically } from "../weights-tools/atomic-file.ts";
import { convert } from "../weights-tools/convert.ts";
import { installPeers } from "./engines.ts";
import { chromiumEmbedders, type Embedder, type EmbeddingFiles, nodeEmbedders } from "./peers/embedders.ts";
import { spread, spreadText } from "./statistics.ts";

const items: { text: string; ids: number[]; normalized_float64: string }[] = JSON.parse(
  gunzipSync(readFileSync(join(root, "test/fixtures/real-models/minilm-l6.json.gz"))).toString(),
).items;
const texts = items.map(({ text }) => text);
const expected = items.map((item) => floats(item.normalized_float64));

/** 32 texts of one length: a recorded one of 14 tokens whose words move round. */
const alike = Array.from({ length: 32 }, (_, i) => {
  const words = items.find(({ ids }) => ids.length === 14)!.text.split(" ");
  return [...words.slice(i % words.length), ...words.slice(0, i % words.length)].join(" ");
});

/**
 * What a sample embeds. transformers.js pads the texts of a call to the longest one, so a call of 32 is measured with texts of
 * one length, too.
 */
const SAMPLES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "calls of 1": texts.map((text) => [text]),
  "calls of 32": [Array.from({ length: 32 }, (_, i) => texts[i % texts.length]!)],
  "calls of 32, one length": [alike],
};

/** The threads of onnxruntime spin for a while after a call; the next engine starts when they rest. */
const PAUSE_MS = 20;

async function makeFiles(folder: string, onnx: string): Promise<EmbeddingFiles> {
  const files = { f32: join(folder, "f32.gguf"), q8: join(folder, "q8.gguf"), onnx: resolve(onnx) };
  const checkpoint = await openCheckpoint(await fetchFolder(minilm), testHost);
  await writeFileAtomically(files.f32, (sink) => convert(checkpoint, sink, { type: "f32" }));
  await writeFileAtomically(files.q8, (sink) => convert(checkpoint, sink, { type: "q8_0" }));
  await checkpoint.close();
  return files;
}

/** The least cosine with the recorded embeddings, and the largest difference. @throws Error if they are others */
async function check({ name, embed }: Embedder): Promise<string> {
  const vectors = await embed(texts);
  const cosines = expected.map((vector, i) => vector.reduce((sum, x, j) => sum + x * vectors[i]![j]!, 0));
  const worst = Math.max(...expected.flatMap((vector, i) => [...vector].map((x, j) => Math.abs(x - vectors[i]![j]!))));
  if (/f32|fp32/i.test(name) && worst > 1e-4) throw new Error(`${name}: off by ${worst}`);
  if (Math.min(...cosines) < 0.95) throw new Error(`${name}: the least cosine is ${Math.min(...cosines)}`);
  return `${Math.min(...cosines).toFixed(5)} | ${worst.toExponential(1)}`;
}

/** Times all samples of all embedders by turns, round after round, until the time is over; three rounds at least. */
async function rates(embedders: readonly Embedder[], seconds: number): Promise<Map<string, number[]>> {
  const rates = new Map<string, number[]>();
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < 3 || performance.now() < end; round++)
    for (const [sample, batches] of Object.entries(SAMPLES))
      for (const { name, time } of embedders) {
        const rate = batches.flat().length / (await time(batches));
        rates.set(name + sample, [...(rates.get(name + sample) ?? []), rate]);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
  return rates;
}

const [onnx, host = "node", seconds = "40"] = process.argv.slice(2);
if (onnx === undefined || (host !== "node" && host !== "chromium") || !(Number(seconds) > 0))
  throw new Error("usage: node bench/embeddings.ts ONNX_FOLDER [node|chromium] [SECONDS]");
for (const folder of ["peers", "peers/transformers"] as const) {
  const missing = installPeers(folder);
  if (missing !== undefined) throw new Error(missing);
}
const folder = await mkdtemp(join(tmpdir(), "nibble-embeddings-"));
try {
  const start = host === "node" ? nodeEmbedders : chromiumEmbedders;
  const { about, embedders, close } = await start(await makeFiles(folder, onnx));
  const checked = new Map<string, string>();
  for (const embedder of embedders) checked.set(embedder.name, await check(embedder));
  const measured = await rates(embedders, Number(seconds));
  const kinds = Object.keys(SAMPLES);
  const [samples] = measured.values();
  console.log(`${about}; texts per second in ${samples!.length} rounds: median (middle half), best\n`);
  console.log(`| engine | ${kinds.join(" | ")} | least cosine | largest difference |`);
  console.log(`|---|${kinds.map(() => "---|").join("")}---|---|`);
  for (const { name } of embedders) {
    const cells = kinds.map((kind) => {
      const values = measured.get(name + kind)!;
      return `${spreadText(spread(values))}, ${Math.max(...values).toFixed(0)}`;
    });
    console.log(`| ${name} | ${cells.join(" | ")} | ${checked.get(name)} |`);
  }
  await close();
} finally {
  await rm(folder, { recursive: true });
}
