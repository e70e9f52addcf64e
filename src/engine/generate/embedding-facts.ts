/**
 * What a model's files say about the embeddings or scores that it was made for.
 * @module
 */
import type { Pooling } from "../schedule/batch-plan.ts";

export interface EmbeddingFacts {
  /** The pooling of requests that name none. */
  readonly pooling: Pooling;
  /** Whether embeddings are scaled to length 1 where requests do not say. */
  readonly normalize: boolean;
  /** Texts to put in front of a text, by name, such as "query". */
  readonly prompts: ReadonlyMap<string, string>;
  /** The name of the prompt for requests that name none. */
  readonly defaultPrompt?: string | undefined;
  /** How embeddings are to be compared, such as "cosine" or "dot". */
  readonly similarity?: string | undefined;
  /** The length in tokens to which `truncate` cuts texts, where it is less than the context. */
  readonly maxLength?: number | undefined;
  /** Only of a reranker. */
  readonly rank?: RankFacts | undefined;
}

/** How a reranker makes a score of the results of its head. */
export interface RankFacts {
  /** The state that goes into the head. */
  readonly pooling: "cls" | "last";
  /** "softmax": the probability of the first of two results ("yes" of yes and no). The others apply to a single result. */
  readonly score: "identity" | "sigmoid" | "softmax";
}

export const DEFAULT_FACTS: EmbeddingFacts = { pooling: "mean", normalize: true, prompts: new Map() };
