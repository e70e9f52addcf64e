/**
 * Rerankers: how well documents answer a query. A cross-encoder reads both as one text and has a small head on the state of
 * its first token (Nogueira and Cho 2019); Qwen3-Reranker is asked whether the document fits, and the probability of "yes"
 * against "no" is the score (Zhang et al. 2025).
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { Fields } from "../base/fields.ts";
import { exp } from "../base/math.ts";
import type { Core } from "./core.ts";
import { headResults, type TextTokens } from "./generate/embedding.ts";
import { boundedEncode } from "./request/bounded-encode.ts";
import { type EmbedContext, tooLong } from "./request/embed-options.ts";
import {
  checkPairs,
  checkRerankOptions,
  type Ranking,
  RERANK_FIELDS,
  type RerankSettings,
} from "./request/rerank-options.ts";

/** @throws NibbleError `invalid_argument` that names the argument, and as `model.rerank` */
export async function rerank(core: Core, query: unknown, documents: unknown, options: unknown): Promise<Ranking> {
  core.checkLive();
  const { embedding } = core;
  const fields = new Fields(options ?? {}, RERANK_FIELDS, "", "invalid_argument");
  const settings = checkRerankOptions(fields, embedding);
  const pairs = checkPairs(query, documents);
  const encode = pairEncoder(pairs.query, settings, embedding);
  const texts = pairs.documents.map((document, i) => encode(document, `documents[${i}]`));
  const scores = (await headResults(texts, settings, embedding)).map((results) => scoreOf(results, settings.score));
  const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return {
    results: order.slice(0, settings.topN).map((index) => ({
      index,
      score: scores[index]!,
      ...(settings.returnDocuments && { document: pairs.documents[index]! }),
    })),
    tokens: texts.reduce((sum, { ids }) => sum + ids.length, 0),
  };
}

function scoreOf(results: ArrayLike<number>, form: RerankSettings["score"]): number {
  const [first, second] = [results[0]!, results[1] ?? 0];
  if (!Number.isFinite(first) || !Number.isFinite(second))
    throw new NibbleError("non_finite_logits", "the scores of the model are not finite numbers");
  if (form === "identity") return first;
  return 1 / (1 + exp(form === "softmax" ? second - first : -first));
}

type EncodePair = (document: string, param: string) => TextTokens;

/** The tokens before and after a document, and how it becomes tokens itself. */
interface Frame {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** The text of a document's part of the input. */
  textOf(document: string): string;
}

/** Puts the query and a document together, in the model's prompt or between its special tokens. */
function pairEncoder(query: string, settings: RerankSettings, context: EmbedContext): EncodePair {
  const { rankTemplate, executor, facts, tokenizer } = context;
  const { contextLength } = executor;
  const most = settings.truncate ? Math.min(contextLength, facts.maxLength ?? contextLength) : contextLength;
  const { before, after, textOf } = rankTemplate
    ? promptFrame(rankTemplate, { query, instruction: settings.instruction }, context)
    : pairFrame(query, context);
  const room = Math.max(0, most - before.length - after.length);
  // Of a query that fills the context, every document would be cut away.
  const own = boundedEncode(tokenizer, contextLength, "query")(textOf(""), AS_TEXT).length;
  if (own >= room) throw tooLong("query", before.length + own + after.length, most);
  return (document, param) => {
    const text = textOf(document);
    const ids = settings.truncate
      ? tokenizer.encode(text, { ...AS_TEXT, enough: room }).slice(0, room)
      : boundedEncode(tokenizer, contextLength, param)(text, AS_TEXT);
    const all = [...before, ...ids, ...after];
    if (all.length > most) throw tooLong(param, all.length, most);
    return { ids: all, types: all.map((_, i) => (i < before.length ? 0 : 1)) };
  };
}

/** A text that spells a special token is no such token: a document cannot end its part of the input early. */
const AS_TEXT = { special: false, addBos: false };

/** Between the special tokens of a pair. The query and what is in front of the document has token type 0, the rest 1. */
function pairFrame(query: string, { tokenizer, executor }: EmbedContext): Frame {
  const { before, between, after } = tokenizer.around.pair;
  const ids = boundedEncode(tokenizer, executor.contextLength, "query")(query, AS_TEXT);
  return { before: [...before, ...ids, ...between], after, textOf: (document) => document };
}

/**
 * In a prompt with `{query}` and `{document}`. Its special tokens are spelled `<|...|>`; the text between the last one in
 * front of the query and the first one behind the document is tokenized as a whole.
 */
function promptFrame(
  template: string,
  { query, instruction }: { query: string; instruction: string | undefined },
  { tokenizer }: EmbedContext,
): Frame {
  const begin = template.lastIndexOf("|>", template.indexOf("{query}")) + 2;
  const end = template.indexOf("<|", template.indexOf("{document}"));
  const head = begin < 2 ? "" : template.slice(0, begin);
  const middle = template.slice(head.length, end < 0 ? undefined : end);
  const instructed =
    instruction === undefined ? middle : middle.replace(INSTRUCTION, (key) => `${key.split(":")[0]}: ${instruction}`);
  return {
    before: tokenizer.encode(head),
    after: end < 0 ? [] : tokenizer.encode(template.slice(end), { addBos: false }),
    textOf: (document) => filled(instructed, { query, document }),
  };
}

const INSTRUCTION = /<Instruct>:.*/;

function filled(template: string, texts: Readonly<Record<string, string>>): string {
  return template.replace(/\{(query|document)\}/g, (_, name: string) => texts[name]!);
}
