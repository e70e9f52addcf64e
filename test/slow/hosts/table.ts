/**
 * Results that every host must share. The file is transpiled, not bundled: it runs in the host, beside the installed
 * package.
 * @module
 */
import type { Load, LoadOptions, Model, ModelSource } from "../../../src/entries/node.ts";

export interface Case {
  readonly prompt_ids: readonly number[];
  readonly tokens: readonly number[];
}

/** Models as the host opens them; a stream is opened anew for each load. */
export interface Table {
  readonly load: Load;
  readonly crumb: () => ModelSource | Promise<ModelSource>;
  /** SmolLM2, if its file exists. */
  readonly large?: (() => ModelSource | Promise<ModelSource>) | undefined;
  readonly cases: readonly Case[];
  /** The variants of running a model, which must give the same bits. */
  readonly variants: readonly LoadOptions[];
}

export interface Row {
  /** SHA-256 of crumb's logits, for each variant. */
  readonly hashes: readonly string[];
  readonly greedy: readonly (readonly number[])[];
  /** Answers of two models that run at once, one of them loaded while the other works. */
  readonly together: readonly (readonly number[])[];
  readonly aborted: { readonly reason: string; readonly tokens: number; readonly afterwards: readonly number[] };
  /** Codes of errors after `dispose`; the other model still answers. */
  readonly disposed: { readonly code: string; readonly survivor: readonly number[] };
  readonly large?: { readonly hash: string; readonly tokens: readonly number[] };
}

const PROMPT = 64;
const STEPS = 32;

/** The logits of a 64-token prompt and 32 greedy steps, as test/helpers/logits-hash.ts has them. */
async function logitsHash(model: Model): Promise<string> {
  const { vocabSize } = model.info;
  const bytes = new Float32Array(vocabSize * (STEPS + 1));
  const session = model.session();
  let logits = session.forward(Array.from({ length: PROMPT }, (_, i) => (i * 7919 + 13) % (vocabSize - 8)));
  for (let step = 0; step <= STEPS; step++) {
    bytes.set(logits, step * vocabSize);
    let best = 0;
    for (let v = 1; v < vocabSize; v++) if (logits[v]! > logits[best]!) best = v;
    if (step < STEPS) logits = session.forward([best]);
  }
  session.dispose();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function answer(model: Model, prompt: readonly number[], maxTokens?: number): Promise<number[]> {
  const ids: number[] = [];
  for await (const event of model.generate({ prompt, maxTokens, sampling: { temperature: 0 } }))
    if (event.type === "token") ids.push(event.id);
  return ids;
}

async function abort(model: Model, prompt: readonly number[]): Promise<{ reason: string; tokens: number }> {
  const stop = new AbortController();
  let tokens = 0;
  try {
    for await (const event of model.generate({ prompt, signal: stop.signal, endIds: [], maxTokens: 200 }))
      if (event.type === "token" && ++tokens === 3) stop.abort(new Error("enough"));
  } catch (error) {
    return { reason: (error as Error).message, tokens };
  }
  return { reason: "it was not ended", tokens };
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? error);

/** Runs all of it. */
export async function runTable({ load, crumb, large, cases, variants }: Table): Promise<Row> {
  const hashes: string[] = [];
  for (const options of variants) {
    const variant = await load(await crumb(), options);
    hashes.push(await logitsHash(variant));
    variant.dispose();
  }
  const first = await load(await crumb());
  const greedy: number[][] = [];
  for (const { prompt_ids } of cases) greedy.push(await answer(first, prompt_ids));

  const [one, two] = [cases[0]!.prompt_ids, cases[1]!.prompt_ids];
  const answering = answer(first, one);
  const second = await load(await crumb(), { name: "second" });
  const together = [await answering, ...(await Promise.all([answer(second, two), answer(first, two)]))];

  const aborted = { ...(await abort(first, one)), afterwards: await answer(first, two) };
  first.dispose();
  const code = await answer(first, one).then(() => "it still answers", codeOf);
  const disposed = { code, survivor: await answer(second, two) };
  second.dispose();
  if (!large) return { hashes, greedy, together, aborted, disposed };

  const model = await load(await large(), { contextLength: 256 });
  const hash = await logitsHash(model);
  const prompt = model.tokenize(model.applyTemplate([{ role: "user", content: "Name three colours." }]));
  const tokens = await answer(model, prompt, 16);
  model.dispose();
  return { hashes, greedy, together, aborted, disposed, large: { hash, tokens } };
}
