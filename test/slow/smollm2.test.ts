/**
 * SmolLM2-135M-Instruct (Q4_1) against the float reference (fixtures/REAL-MODELS.md): transformers on the dequantised
 * weights, all float32. What is demanded of int8 activations stands in the tests' names.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { fetchModel } from "../../scripts/fetch-model.ts";
import { createLoad } from "../../src/create-load.ts";
import type { Model } from "../../src/engine/model.ts";
import { NibbleError } from "../../src/errors.ts";
import { logitsHash } from "../helpers/logits-hash.ts";
import { argmax, root, testHost } from "../helpers/models.ts";

interface Generated {
  promptIds: number[];
  tokens: number[];
  margins: number[];
}
interface Scored {
  text: string;
  float: { ids: number[]; meanNll: number; argmax: number[] };
}
const reference = JSON.parse(
  gunzipSync(readFileSync(join(root, "test/fixtures/real-models/smollm2-135m-instruct-q4_1.json.gz"))).toString(),
) as {
  raw: { text: string; float: Generated }[];
  chats: { messages: { role: string; content: string }[]; rendered: string; float: Generated }[];
  texts: Record<string, Scored>;
};

/** The package can vanish from the registry: then these tests are skipped, and say so. A wrong hash fails. */
const path = await fetchModel("smollm2-135m-instruct-q4_1").catch((error: unknown) => {
  if (!(error instanceof NibbleError) || error.code !== "io_error") throw error;
  console.warn(`SKIPPED, the model cannot be fetched: ${error.message}`);
  return "";
});
const whenFetched = { skip: path === "" };

let model: Model;
beforeAll(async () => {
  if (path === "") return;
  model = await createLoad(testHost)(path, { maxLogitRows: 64, contextLength: 1024 });
});

describe.each(Object.keys(reference.texts))("the %s text", whenFetched, (name) => {
  const { text, float } = reference.texts[name]!;

  it("tokenizes as recorded", () => {
    expect(model.tokenize(text)).toEqual(float.ids);
  });

  it("mean NLL within 0.5 %, argmax equal at 97 % of positions or more", () => {
    const session = model.session();
    const logits = session.forward(float.ids, { logits: "all" });
    const vocabulary = model.info.vocabSize;
    let nll = 0;
    let equal = 0;
    for (const [i, expected] of float.argmax.entries()) {
      const row = logits.subarray(i * vocabulary, (i + 1) * vocabulary);
      const best = argmax(row);
      if (best === expected) equal++;
      if (i + 1 === float.ids.length) break;
      let sum = 0;
      for (const logit of row) sum += Math.exp(logit - row[best]!);
      nll += row[best]! + Math.log(sum) - row[float.ids[i + 1]!]!;
    }
    session.dispose();
    const mean = nll / (float.ids.length - 1);
    const agreement = equal / float.argmax.length;
    console.log(
      `${name}: mean NLL ${mean.toFixed(4)} (float ${float.meanNll}), argmax equal ${(agreement * 100).toFixed(1)} %`,
    );
    expect(Math.abs(mean - float.meanNll)).toBeLessThan(0.005 * float.meanNll);
    expect(agreement).toBeGreaterThanOrEqual(0.97);
  });
});

describe("greedy tokens equal up to the first margin below 0.5", whenFetched, () => {
  const check = async (generated: Generated): Promise<void> => {
    const answer = await model.completions.create({
      prompt: generated.promptIds,
      temperature: 0,
      max_tokens: generated.tokens.length,
    });
    const ids = model.tokenize(answer.choices[0]!.text);
    const sure = generated.margins.findIndex((margin) => margin < 0.5);
    const upTo = sure === -1 ? generated.tokens.length : sure;
    expect(ids.slice(0, upTo)).toEqual(generated.tokens.slice(0, upTo).filter((id) => id !== 2));
  };
  it.each(reference.raw)("$text", async ({ text, float }) => {
    expect(model.tokenize(text)).toEqual(float.promptIds);
    await check(float);
  });
  it.each(reference.chats)("$messages.0.content", async ({ messages, rendered, float }) => {
    expect(model.applyTemplate(messages)).toBe(rendered);
    expect(model.tokenize(rendered)).toEqual(float.promptIds);
    await check(float);
  });
});

it("one hash of the logits for both builds, chunks and neighbours", whenFetched, async () => {
  const bytes = readFileSync(path);
  const wasm = join(root, "dist/wasm");
  const hashes: string[] = [];
  for (const [build, chunk, neighbours, threads] of [
    ["simd", 64, 0, 1],
    ["relaxed", 7, 0, 1],
    ["relaxed", 64, 7, 1],
    ["threads", 64, 0, 2],
    ["threads", 64, 3, 2],
    ["threads", 32, 7, 3],
  ] as const)
    hashes.push(await logitsHash(wasm, bytes, { build, kvType: "mixed", chunk, neighbours, threads }));
  expect(new Set(hashes).size).toBe(1);
});
