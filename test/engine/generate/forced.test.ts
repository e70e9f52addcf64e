/** Where a grammar leaves no choice, tokens come without a step for each, and answers stay the same. */
import { describe, expect, it } from "vitest";
import type { FinishEvent, GenerateEvent } from "../../../src/engine/generate/events.ts";
import { createModel, type Model } from "../../../src/engine/model.ts";
import type { GenerateOptions } from "../../../src/engine/request/generate-options.ts";
import { SAMPLERS, type SamplingOptions } from "../../../src/engine/sample/options.ts";
import type { GrammarSource } from "../../../src/grammar/compile.ts";
import { FakeExecutor, type FakeOptions, isIdle } from "../../helpers/fake-executor.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";
import { Random } from "../../helpers/random.ts";

const ROOMY: FakeOptions = { vocabSize: 300, contextLength: 1024, pages: 512, maxBatchTokens: 64, maxLogitRows: 24 };

function setUp(options: FakeOptions = {}) {
  const executor = new FakeExecutor({ ...ROOMY, ...options });
  const model = createModel({ name: "fake", architecture: "test", tokenizer: new FakeTokenizer(), executor });
  const pages = executor.freePages;
  return { executor, model, idle: () => isIdle(model, executor, pages) };
}

async function events(model: Model, options: GenerateOptions): Promise<GenerateEvent[]> {
  const all: GenerateEvent[] = [];
  for await (const event of model.generate(options)) all.push(event);
  return all;
}

const ids = (list: readonly GenerateEvent[]) => list.flatMap((event) => (event.type === "token" ? [event.id] : []));
const texts = (list: readonly GenerateEvent[]) => list.flatMap((event) => (event.type === "token" ? [event.text] : []));
const end = ({ reason, stop, usage }: FinishEvent) => ({ reason, stop, usage });
const facts = (list: readonly GenerateEvent[]) => [ids(list), texts(list), end(list.at(-1) as FinishEvent)];

const GRAMMARS: readonly GrammarSource[] = [
  {
    kind: "schema",
    schema: {
      type: "object",
      properties: {
        temperature_in_degrees: { type: "integer", minimum: 0, maximum: 99 },
        condition_of_the_sky: { enum: ["overcast", "clear and sunny", "clear and cold"] },
      },
      required: ["temperature_in_degrees", "condition_of_the_sky"],
    },
  },
  { kind: "choice", texts: ["a long answer without a choice", "a long answer with one", "no"] },
  { kind: "regex", pattern: "(alpha|beta)-[0-9]{3}-constant-[a-z]{2,4}-tail" },
  { kind: "gbnf", source: 'root ::= "begin " [ab]+ " end of it" [.!]' },
];

/** Sampling of every kind: each step alone or with others, in any order. */
function sampling(seed: number): Partial<SamplingOptions> {
  const numbers = new Random(seed);
  const next = () => numbers.uint32() / 2 ** 32;
  const some = <T>(value: T, neutral: T): T => (next() < 0.4 ? value : neutral);
  return {
    seed,
    samplers: [...SAMPLERS].sort(() => next() - 0.5),
    temperature: some(0, 0.5 + next()),
    dynatempRange: some(0.3, 0),
    topK: some(3, 0),
    topP: some(0.8, 1),
    minP: some(0.1, 0),
    typicalP: some(0.7, 1),
    topNSigma: some(1.5, -1),
    xtcProbability: some(0.6, 0),
    repeatPenalty: some(1.3, 1),
    frequencyPenalty: some(0.4, 0),
    dryMultiplier: some(0.8, 0),
    mirostat: Math.floor(next() * 3),
    minTokens: some(8, 0),
    badWords: some(["clear", "b"], []),
    logitBias: new Map(some([[98, 4], [97, -Infinity]], [])), // biome-ignore format: one line
  };
}

const request = (seed: number): GenerateOptions => ({
  prompt: Array.from({ length: 1 + (seed % 7) }, (_, i) => (i * 31 + seed) % 250),
  grammar: GRAMMARS[seed % GRAMMARS.length]!,
  maxTokens: seed % 5 === 4 ? 11 + (seed % 30) : 150,
  stop: seed % 6 === 5 ? ["sky", "tail", "end"] : [],
  choice: seed % 3,
  sampling: sampling(seed),
});

/** The same with a step for each token: log-probabilities need the logits, and nothing is drafted. */
const stepwise = (seed: number): GenerateOptions => ({ ...request(seed), logprobs: 0, draftMax: 0 });

/** Failures of one run are failures of the other, such as a bad word that is the only one allowed. */
const outcome = (run: Promise<GenerateEvent[]>) => run.then(facts, (error: Error) => error.message);

describe("an answer", () => {
  it("is the same as with a step for each token, whatever the samplers", async () => {
    let [steps, fewer, some, ended] = [0, 0, 0, 0];
    for (let seed = 0; seed < 240; seed++) {
      const [plain, fast] = [setUp(), setUp()];
      const expected = await outcome(events(plain.model, stepwise(seed)));
      expect(await outcome(events(fast.model, request(seed))), `seed ${seed}`).toEqual(expected);
      expect(plain.idle() && fast.idle()).toBe(true);
      if (typeof expected === "string") continue;
      ended++;
      steps += plain.executor.batches.length;
      fewer += fast.executor.batches.length;
      some += fast.executor.some;
      expect(plain.executor.some).toBe(0);
    }
    expect(ended).toBeGreaterThan(150);
    expect(some).toBeGreaterThan(200);
    expect(fewer).toBeLessThan(steps / 2);
  });

  it("has the log-probabilities of every token where they are asked for, in fewer steps", async () => {
    let saved = 0;
    for (let seed = 0; seed < 40; seed++) {
      const [plain, fast] = [setUp(), setUp()];
      const list = await events(plain.model, { ...stepwise(seed), logprobs: 2, sampling: { seed } });
      const again = await events(fast.model, { ...stepwise(seed), logprobs: 2, draftMax: 16, sampling: { seed } });
      expect(again.slice(0, -1)).toEqual(list.slice(0, -1));
      saved += plain.executor.batches.length - fast.executor.batches.length;
    }
    expect(saved).toBeGreaterThan(300);
  });

  it("leaves only its own tokens in the cache", async () => {
    const shared = setUp({ contextLength: 256, pages: 64 });
    for (let seed = 0; seed < 120; seed++) {
      const options = { ...request(seed), sampling: { seed, temperature: 0.8 }, maxTokens: 5 + seed };
      const expected = ids(await events(setUp({ contextLength: 256 }).model, options));
      expect(ids(await events(shared.model, options))).toEqual(expected);
      // Continues in what the first answer left.
      const more = { prompt: [...options.prompt, ...expected, 7], maxTokens: 4, sampling: { seed, temperature: 0 } };
      expect(ids(await events(shared.model, more))).toEqual(
        ids(await events(setUp({ contextLength: 256 }).model, more)),
      );
    }
    expect(shared.idle()).toBe(true);
  });
});

describe("together with others", () => {
  it("in little room: every answer as alone", async () => {
    const alone = await Promise.all(
      Array.from({ length: 16 }, (_, seed) => outcome(events(setUp({ contextLength: 256 }).model, stepwise(seed)))),
    );
    for (const limits of [{}, { maxBatchTokens: 9 }, { maxLogitRows: 2 }, { pages: 34 }, { maxSequences: 3 }]) {
      const { model, idle } = setUp({ contextLength: 256, ...limits });
      const all = Array.from({ length: 16 }, (_, seed) => outcome(events(model, request(seed))));
      expect(await Promise.all(all)).toEqual(alone);
      expect(idle()).toBe(true);
    }
  });

  it("a context that shifts in the middle of them", async () => {
    for (const contextLength of [24, 31, 32, 40]) {
      const options = { grammar: GRAMMARS[2]!, contextShift: true, keep: 2, maxTokens: 60, prompt: [1, 2, 3, 4, 5] };
      const small = { contextLength, pages: Math.ceil(contextLength / 8) };
      const [plain, fast] = [setUp(small), setUp(small)];
      const expected = ids(await events(plain.model, { ...options, sampling: { seed: 3 }, logprobs: 0, draftMax: 0 }));
      expect(ids(await events(fast.model, { ...options, sampling: { seed: 3 } }))).toEqual(expected);
      expect(fast.idle()).toBe(true);
    }
  });

  it("an abort at any step gives all pages back", async () => {
    for (let at = 1; at < 12; at++) {
      const { model, executor, idle } = setUp();
      const controller = new AbortController();
      executor.onForward = () => {
        if (executor.batches.length === at) queueMicrotask(() => controller.abort());
      };
      const run = events(model, { ...request(0), maxTokens: 150, signal: controller.signal });
      await run.catch((error) => expect(error).toMatchObject({ name: "AbortError" }));
      expect(idle()).toBe(true);
    }
  });

  it("a slow reader of a long text has at most 64 events waiting", async () => {
    const { model } = setUp();
    const text = "constant ".repeat(60);
    let count = 0;
    for await (const event of model.generate({ prompt: [1], grammar: { kind: "choice", texts: [text] } })) {
      if (event.type === "token") count++;
      if (count % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(count).toBe(text.length);
  });
});
