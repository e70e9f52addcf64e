/**
 * Measures what drafts gain: a draft model for the 950M shape that agrees in a given share of its tokens, and answers that
 * keep to a JSON schema.
 *
 *   node [--experimental-wasm-revectorize] bench/drafts.ts model [--agree 0.7] [--shape 950m]
 *   node [--experimental-wasm-revectorize] bench/drafts.ts schema [MODEL.gguf ...]
 * @module
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { Chooser } from "../src/engine/generate/chooser.ts";
import type { FinishEvent } from "../src/engine/generate/events.ts";
import { coreOf, createModel, type Model } from "../src/engine/model.ts";
import type { GenerateOptions } from "../src/engine/request/generate-options.ts";
import { createLoad } from "../src/load/create-load.ts";
import type { BatchItem, Executor, Sequence } from "../src/runtime/types.ts";
import { FakeExecutor } from "../test/helpers/fake-executor.ts";
import { FakeTokenizer } from "../test/helpers/fake-tokenizer.ts";
import { root, testHost } from "../test/helpers/models.ts";
import { Random } from "../test/helpers/random.ts";
import { spread, spreadText } from "./statistics.ts";
import { type ShapeName, syntheticModel } from "./synthetic-model.ts";

const ROUNDS = 5;

/** Generates an answer. @returns its tokens and its milliseconds per token after the first one */
async function answer(
  model: Model,
  options: GenerateOptions,
): Promise<{ ids: number[]; ms: number; end: FinishEvent }> {
  const ids: number[] = [];
  for await (const event of model.generate(options)) {
    if (event.type === "token") ids.push(event.id);
    if (event.type === "finish") return { ids, ms: event.timings.predicted_per_token_ms, end: event };
  }
  throw new Error("an answer ends with an event of its own");
}

/** Times variants by turns. Prints milliseconds per token, and the ratios to the first variant of the same round. */
async function compare(variants: ReadonlyMap<string, () => Promise<number>>): Promise<void> {
  const times = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, run] of variants) times.set(name, [...(times.get(name) ?? []), await run()]);
  const [plain] = times.values();
  for (const [name, all] of times) {
    const gain = spread(all.map((ms, i) => plain![i]! / ms));
    const best = Math.min(...plain!) / Math.min(...all);
    console.log(
      `  ${spreadText(spread(all)).padStart(20)} ms, ${spreadText(gain)} x, best ${best.toFixed(2)} x  ${name}`,
    );
  }
}

/** A draft model whose rows say what the answer will be, and are wrong in some places. Its steps take no time. */
class Oracle extends FakeExecutor {
  readonly #answer: () => readonly number[];

  constructor(like: Executor, agree: number, answer: () => readonly number[]) {
    const { vocabSize, contextLength } = like;
    super({ vocabSize, contextLength, pages: 4096, maxBatchTokens: 128, maxLogitRows: 16 });
    this.#answer = answer;
    this.agree = agree;
  }

  readonly agree: number;

  /** Half of the tokens are easy: 95 % of the guesses are right there, and the probabilities say so. */
  override forward(batch: readonly BatchItem[]): Float32Array[] {
    const rows = super.forward(batch);
    return rows.map((row, i) => {
      const tokens = (batch[i]!.sequence as Sequence & { tokens: number[] }).tokens;
      const random = new Random(`${tokens.length}`);
      const chance = random.uint32() % 2 === 0 ? 0.95 : 2 * this.agree - 0.95;
      const right = this.#answer()[tokens.length - PROMPT.length] ?? 0;
      const id = random.uint32() / 2 ** 32 < chance ? right : (right + 1) % 1000;
      row.fill(0);
      row[id] = Math.log((9 * chance) / (1 - chance)); // among ten candidates, as --draft-p-min has it
      return row;
    });
  }
}

const PROMPT = Array.from({ length: 16 }, (_, i) => 300 + i);

async function measureModel(shape: ShapeName, agree: number): Promise<void> {
  const path = await syntheticModel(shape, "Q4_0");
  const options = { threads: 1, contextLength: 512 };
  let expected: readonly number[] = [];
  const plain = await createLoad(testHost)(path, options);
  const { executor, tokenizer } = coreOf(plain)!;
  const oracle = new Oracle(executor, agree, () => expected);
  const stub = coreOf(
    createModel({ name: "stub", architecture: "stub", tokenizer: new FakeTokenizer(), executor: oracle }),
  )!;
  const drafted = (cost: number): Model =>
    createModel({
      name: "drafted",
      architecture: "llama",
      tokenizer,
      executor,
      scheduler: { measured: true },
      draft: { core: stub, cost, owned: false },
    });
  const request = { prompt: PROMPT, maxTokens: 64, endIds: [], sampling: { temperature: 0 } };
  expected = (await answer(plain, { ...request, draftMax: 0 })).ids;
  const model = drafted(0);
  const run = (draft: Partial<GenerateOptions>) => async () => {
    const { ids, ms, end } = await answer(model, { ...request, ...draft });
    if (ids.some((id, i) => id !== expected[i])) throw new Error("drafts changed the answer");
    last = end;
    return ms;
  };
  let last: FinishEvent | undefined;
  console.log(`${shape} shape, Q4_0, one thread, a draft model without cost that agrees in ${100 * agree} % of tokens`);
  await compare(
    new Map([
      ["no drafts", run({ draftMax: 0 })],
      ["drafts up to 16 (default)", run({})],
      ["drafts up to 16, any probability", run({ draftPMin: 0 })],
      ["drafts of 3, always", run({ draftMin: 3, draftMax: 3, draftPMin: 0 })],
    ]),
  );
  console.log(`  ${JSON.stringify(last!.usage.completion_tokens_details)} at the end`);
  plain.dispose();
}

const SCHEMA = {
  type: "object",
  properties: {
    customer_identification_number: { type: "integer", minimum: 0, maximum: 99_999 },
    preferred_method_of_communication: { enum: ["electronic mail", "telephone call", "text message", "postal letter"] },
    subscription_renewal_status: {
      enum: ["renewed automatically", "waiting for confirmation", "cancelled by customer"],
    },
    has_accepted_terms_and_conditions: { type: "boolean" },
    shipping_address_country_code: { enum: ["DE", "FR", "US", "JP", "BR"] },
    customer_satisfaction_rating: { type: "integer", minimum: 1, maximum: 5 },
    most_recently_purchased_product_category: {
      enum: ["household appliances", "garden furniture", "children's books"],
    },
  },
  additionalProperties: false,
};

/** Runs an action as if choosers did not know what may come. */
async function withoutChoices<T>(action: () => Promise<T>): Promise<T> {
  const { few } = Chooser.prototype;
  Chooser.prototype.few = () => undefined;
  try {
    return await action();
  } finally {
    Chooser.prototype.few = few;
  }
}

/** As most requests of this kind, it names the keys. */
const QUESTION = `Describe a customer of a shop. Answer in JSON with these keys:\n${JSON.stringify(SCHEMA.properties)}`;

async function measureSchema(path: string): Promise<void> {
  const model = await createLoad(testHost)(path, { threads: 1, contextLength: 1024 });
  const messages = [{ role: "user", content: QUESTION }];
  const prompt = model.tokenize(model.applyTemplate(messages), { addBos: false });
  const schema = { ...SCHEMA, required: Object.keys(SCHEMA.properties) };
  const request = {
    prompt,
    maxTokens: 400,
    grammar: { kind: "schema", schema },
    sampling: { temperature: 0 },
  } as const;
  const plain = await answer(model, { ...request, draftMax: 0 });
  const text = model.detokenize(plain.ids);
  console.log(`${basename(path)}: ${plain.ids.length} tokens of JSON with long keys and enums`);
  const run = (options: Partial<GenerateOptions>) => async () => {
    const { ids, ms, end } = await answer(model, { ...request, ...options });
    if (model.detokenize(ids) !== text) throw new Error("the answer has changed");
    timings = end.timings;
    return ms;
  };
  let timings: FinishEvent["timings"] | undefined;
  await compare(
    new Map([
      ["a step for each token, with the logits of all", () => withoutChoices(run({ draftMax: 0 }))],
      ["logits of the tokens that may come, and none where only one may", run({ draftMax: 0 })],
      ["and what the grammar leaves is drafted (default)", run({})],
    ]),
  );
  console.log(`  drafted ${timings!.draft_n ?? 0}, right ${timings!.draft_n_accepted ?? 0}`);
  model.dispose();
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { agree: { type: "string", default: "0.7" }, shape: { type: "string", default: "950m" } },
});
const [what, ...files] = positionals;
if (what !== "schema") await measureModel(values.shape as ShapeName, Number(values.agree));
if (what !== "model")
  for (const file of files.length > 0 ? files : [`${root}/dist/crumb.gguf`]) await measureSchema(file);
