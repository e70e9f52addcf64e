/**
 * The options of `model.rerank`, and the check of its query and documents.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { checkSignal, type Fields, invalid } from "../../base/fields.ts";
import type { StateSettings } from "../generate/embedding.ts";
import type { EmbeddingFacts, RankFacts } from "../generate/embedding-facts.ts";
import type { EmbedContext } from "./embed-options.ts";
import { checkLora, type LoraChoice } from "./lora.ts";

/** How documents are ranked. */
export interface RerankOptions {
  /** Most results, the best ones. Default: all. */
  readonly topN?: number | undefined;
  /** Whether results carry the text of their document (default false). */
  readonly returnDocuments?: boolean | undefined;
  /**
   * Whether a score is brought between 0 and 1 by the logistic function. Default: as the model's files say, else false.
   * The scores of a model that answers yes or no are probabilities anyway.
   */
  readonly normalize?: boolean | undefined;
  /** What the model is told to look for, where its prompt has an instruction. */
  readonly instruction?: string | undefined;
  /** Cut documents that are too long. Default false: they are an error. */
  readonly truncate?: boolean | undefined;
  /** Adapters to apply, others are not; default: each as it was loaded. */
  readonly lora?: readonly LoraChoice[] | undefined;
  /** Ends the call; its promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Documents by their scores. */
export interface Ranking {
  /** The best document first; of equal ones the one that was given first. */
  readonly results: readonly {
    /** The place of the document among those that were given. */
    readonly index: number;
    readonly score: number;
    /** Only with `returnDocuments`. */
    readonly document?: string;
  }[];
  /** Tokens of all pairs of the query and a document together. */
  readonly tokens: number;
}

/** Checked options, defaults filled in. */
export interface RerankSettings extends StateSettings {
  readonly score: RankFacts["score"];
  readonly topN: number;
  readonly returnDocuments: boolean;
  readonly instruction: string | undefined;
  readonly truncate: boolean;
}

/** Most documents of a call. */
const MAX_DOCUMENTS = 2048;
const MAX_INSTRUCTION = 2 ** 16;

export const RERANK_FIELDS: readonly string[] = [
  ...["topN", "returnDocuments", "normalize", "instruction", "truncate", "lora", "signal"],
];

/** @throws NibbleError `not_supported` for a model that is no reranker */
export function rankFacts({ rank }: EmbeddingFacts): RankFacts {
  if (rank) return rank;
  throw new NibbleError(
    "not_supported",
    "this model ranks no documents: it has no head for that (cls.output.weight); load a reranker, such as bge-reranker or Qwen3-Reranker",
  );
}

/** @throws NibbleError with the fields' code, `not_supported` */
export function checkRerankOptions(fields: Fields, { facts, adapters, rankTemplate }: EmbedContext): RerankSettings {
  const rank = rankFacts(facts);
  const normalize = fields.boolean("normalize");
  const instruction = fields.string("instruction", MAX_INSTRUCTION);
  if (instruction !== undefined && !rankTemplate?.includes("<Instruct>:"))
    throw fields.invalid("instruction", "none: the model's prompt has no place for it", instruction);
  const single = normalize === undefined ? rank.score : normalize ? "sigmoid" : "identity";
  return {
    pooling: rank.pooling,
    score: rank.score === "softmax" ? "softmax" : single,
    topN: fields.number("topN", { min: 0, integer: true }) ?? Number.POSITIVE_INFINITY,
    returnDocuments: fields.boolean("returnDocuments") ?? false,
    instruction,
    truncate: fields.boolean("truncate") ?? false,
    adapters: checkLora(fields, adapters),
    signal: checkSignal(fields),
  };
}

/** @throws NibbleError `invalid_argument` that names the argument */
export function checkPairs(query: unknown, documents: unknown): { query: string; documents: readonly string[] } {
  if (typeof query !== "string" || query === "")
    throw invalid("query", "a text that is not empty", query, "invalid_argument");
  const isText = (one: unknown): one is string => typeof one === "string";
  if (!Array.isArray(documents) || documents.length === 0 || documents.length > MAX_DOCUMENTS)
    throw invalid("documents", `an array of 1 to ${MAX_DOCUMENTS} texts`, documents, "invalid_argument");
  const wrong = documents.findIndex((one) => !isText(one));
  if (wrong >= 0) throw invalid(`documents[${wrong}]`, "a text", documents[wrong] ?? null, "invalid_argument");
  return { query, documents };
}
