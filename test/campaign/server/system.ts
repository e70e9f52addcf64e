/**
 * The real server under test: a small model with an adapter, few pages and few slots, so that requests wait, share and evict.
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { coreOf, type Model } from "../../../src/engine/model.ts";
import type { Session } from "../../../src/engine/session/session.ts";
import { createLoad } from "../../../src/load/create-load.ts";
import { createHandler, type Handler } from "../../../src/server/handler.ts";
import { ggufAdapter, randomAdapter } from "../../helpers/adapters.ts";
import { architectures, openFixture, testHost } from "../../helpers/models.ts";
import { postHandler, type TestAnswer } from "../../server/helpers.ts";
import { Broken } from "../target.ts";
import { batchQuestions, cancelBatch, type OpenBatch, resultsOf, startBatch } from "./batches.ts";
import type { Question } from "./steps.ts";

const bytes = (): Uint8Array => readFileSync(join(architectures, "llama/model.gguf"));

async function adapterBytes(): Promise<Uint8Array> {
  const base = await openFixture("llama", "gguf");
  await base.close();
  return ggufAdapter(randomAdapter(base, ["blk.0.attn_q.weight", "blk.1.ffn_down.weight"], 4, 1), "llama");
}

export const SLOTS = 4;
/** 32 pages: 4 slots of 3 answers, 2 sessions and a save take fewer, so that no request fails for want of pages. */
const CACHE = { contextLength: 128, cacheTokens: 32 * 64, maxBatchTokens: 16, threads: 1 };

const loadModel = async (): Promise<Model> =>
  createLoad(testHost)(bytes(), { ...CACHE, lora: [{ source: await adapterBytes(), name: "a", scale: 0 }] });

/** Prompts of three families; those of a family share their first 40 tokens. */
export function promptIds(prompt: number): number[] {
  const shared = Array.from({ length: 40 }, (_, i) => 20 + ((i * 31 + (prompt % 3) * 57) % 200));
  return [...shared, ...Array.from({ length: 1 + prompt }, (_, i) => 20 + ((i * 17 + prompt * 91) % 200))];
}

/** The request of a question. Its text is not looked at: log-probabilities and ids say more. */
export function bodyOf({ prompt, tokens, seed, stream, n, adapter }: Question): object {
  const lora = [{ id: 0, scale: adapter }];
  return { prompt: promptIds(prompt), max_tokens: tokens, seed, stream, n, lora, ignore_eos: true, logprobs: 1 };
}

/** Tokens and log-probabilities of each choice, from one object or from events. */
function choicesOf(text: string, stream: boolean): string {
  if (!stream) return JSON.stringify(JSON.parse(text).choices.map(({ logprobs }: Choice) => flat([logprobs])));
  const events = text.split("\n").filter((line) => line.startsWith("data: {"));
  const parts = events.flatMap((line) => JSON.parse(line.slice(6)).choices as Choice[]);
  const indices = [...new Set(parts.map(({ index }) => index))].sort();
  return JSON.stringify(
    indices.map((one) => flat(parts.filter(({ index }) => index === one).map(({ logprobs }) => logprobs))),
  );
}

interface Choice {
  readonly index: number;
  readonly logprobs: { readonly tokens: string[]; readonly token_logprobs: number[] } | null;
}

const flat = (parts: readonly Choice["logprobs"][]): unknown[] =>
  parts.flatMap((part) => part?.tokens.map((token, i) => [token, part.token_logprobs[i]]) ?? []);

/** The answers that questions have when they are asked alone, on a model that nothing else has used. */
class Oracle {
  readonly #answers = new Map<string, Promise<string>>();
  #model: Promise<Model> | undefined;

  answer(question: Question): Promise<string> {
    const key = JSON.stringify({ ...question, stream: false });
    if (!this.#answers.has(key)) this.#answers.set(key, this.#ask(question));
    return this.#answers.get(key)!;
  }

  async #ask(question: Question): Promise<string> {
    this.#model ??= loadModel();
    const model = await this.#model;
    model.clearPrefixCache();
    const { status, text } = await postHandler(
      createHandler(model),
      "/v1/completions",
      bodyOf({ ...question, stream: false }),
    );
    if (status !== 200) throw new Broken(`a question alone ends with ${status} ${text}`);
    return choicesOf(text, false);
  }
}

const oracle = new Oracle();

interface OpenRequest {
  readonly question: Question;
  readonly controller: AbortController;
  readonly answer: Promise<TestAnswer | Error>;
}

export class System {
  readonly open: OpenRequest[] = [];
  readonly sessions: Session[] = [];
  readonly batches: OpenBatch[] = [];
  readonly saved = new Map<string, Uint8Array>();
  readonly errors: unknown[] = [];
  model: Model;
  handler: Handler;

  private constructor(model: Model) {
    this.model = model;
    this.handler = this.#serve();
  }

  static async start(): Promise<System> {
    return new System(await loadModel());
  }

  #serve(): Handler {
    return createHandler(this.model, {
      slots: SLOTS,
      onError: (error) => void this.errors.push(error),
      slotKey: new Uint8Array(32).fill(3),
      slotStore: {
        read: async (name) => this.saved.get(name)?.slice(),
        write: async (name, value) => void this.saved.set(name, value.slice()),
      },
    });
  }

  post(path: string, body: unknown): Promise<TestAnswer> {
    return postHandler(this.handler, path, body);
  }

  ask(question: Question): void {
    const controller = new AbortController();
    const body = JSON.stringify(bodyOf(question));
    const headers = { "content-type": "application/json" };
    const request = new Request("http://localhost/v1/completions", {
      method: "POST",
      body,
      headers,
      signal: controller.signal,
    });
    const answer = this.handler(request).then(async (response) => {
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
    });
    this.open.push({ question, controller, answer: answer.catch((error: Error) => error) });
  }

  /** Takes the answer of the request that is open for the longest time: it must be the one that it has alone. */
  async finish(): Promise<void> {
    const { question, answer } = this.open.shift()!;
    const got = await answer;
    if (got instanceof Error) throw new Broken(`a request that nobody left failed: ${got.message}`);
    if (got.status !== 200) throw new Broken(`a good request ended with ${got.status} ${got.text.slice(0, 200)}`);
    if (choicesOf(got.text, question.stream) !== (await oracle.answer(question)))
      throw new Broken("a request had another answer than alone");
  }

  /** Leaves the request that is open for the longest time. */
  async cancel(turns: number): Promise<void> {
    const { controller, answer } = this.open.shift()!;
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await answer;
  }

  async batch(prompts: readonly number[]): Promise<void> {
    this.batches.push(await startBatch(this.handler, batchQuestions(prompts), bodyOf));
  }

  async cancelBatch(): Promise<void> {
    await cancelBatch(this.handler, this.batches.shift()!);
  }

  /** Waits for the oldest batch: each of its answers must be the one that the question has alone. */
  async finishBatch(): Promise<void> {
    const batch = this.batches.shift()!;
    for (const [i, body] of (await resultsOf(this.handler, batch)).entries())
      if (choicesOf(body, false) !== (await oracle.answer(batch.questions[i]!)))
        throw new Broken("a request of a batch had another answer than alone");
  }

  /** Ends the model under whatever runs, and starts another. */
  async dispose(): Promise<void> {
    const { open } = this;
    this.model.dispose();
    await Promise.all(open.splice(0).map(({ answer }) => answer));
    await this.handler.close(0);
    this.sessions.length = 0;
    this.batches.length = 0;
    this.errors.length = 0; // requests that lost their model may be told "internal error"
    this.model = await loadModel();
    this.handler = this.#serve();
  }

  /** What holds after every step, whatever runs. @throws Broken */
  async check(defaultScale: number): Promise<void> {
    if (this.errors.length > 0) throw new Broken(`status 500: ${(this.errors[0] as Error).stack}`);
    this.checkPages();
    const canary = { prompt: 3, tokens: 4, seed: 1, stream: false, n: 1, adapter: defaultScale };
    const { lora: _, ...body } = bodyOf(canary) as { lora: unknown };
    const { status, text } = await this.post("/v1/completions", body);
    if (status !== 200) throw new Broken(`the canary's request ended with ${status} ${text.slice(0, 200)}`);
    if (choicesOf(text, false) !== (await oracle.answer(canary))) throw new Broken("the canary's answer has changed");
  }

  /** Every page is free, in use, or kept for reuse. */
  checkPages(): void {
    const { executor } = coreOf(this.model)!;
    const { usedPages, cachedPages } = this.model.stats();
    const { freePages, plan } = executor as unknown as { freePages: number; plan: { pageCount: number } };
    if (usedPages + cachedPages + freePages !== plan.pageCount)
      throw new Broken(`pages: ${usedPages} used, ${cachedPages} kept and ${freePages} free are not ${plan.pageCount}`);
  }

  /** After the last step: nothing runs, nothing is held, every page is free again. @throws Broken */
  async end(): Promise<void> {
    while (this.open.length > 0) await this.finish();
    while (this.batches.length > 0) await this.finishBatch();
    for (const session of this.sessions.splice(0)) session.dispose();
    const slots = JSON.parse((await (await this.handler(new Request("http://localhost/slots"))).text()) as string);
    if (slots.some((slot: { is_processing: boolean }) => slot.is_processing)) throw new Broken("a slot stays busy");
    const { requests, usedPages } = this.model.stats();
    if (requests !== 0 || usedPages !== 0) throw new Broken(`${requests} requests and ${usedPages} pages are left`);
    this.model.clearPrefixCache();
    const { executor } = coreOf(this.model)! as unknown as {
      executor: { freePages: number; plan: { pageCount: number } };
    };
    if (executor.freePages !== executor.plan.pageCount)
      throw new Broken(`${executor.freePages} pages of ${executor.plan.pageCount} are free`);
    await this.handler.close(0);
    this.model.dispose();
  }
}
