/**
 * The options of `model.embed`, and the check of its texts.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { checkIds, checkSignal, type Fields, invalid } from "../../base/fields.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import type { EmbeddingEngine, EmbedSettings } from "../generate/embedding.ts";
import type { Pooling } from "../schedule/batch-plan.ts";
import { checkLora, type LoraChoice, type LoraInfo } from "./lora.ts";

/** How texts are embedded. */
export interface EmbedOptions {
  /**
   * The mean over all tokens, or the state of the last token, which has attended to all others. Default: the model's,
   * else mean.
   */
  readonly pooling?: Pooling | undefined;
  /** Scale to length 1 (default true), so that a dot product is the cosine. */
  readonly normalize?: boolean | undefined;
  /** Adapters to apply, others are not; default: each as it was loaded. */
  readonly lora?: readonly LoraChoice[] | undefined;
  /** Ends the call; its promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A text, or token ids as they are. */
export type EmbedInput = string | ArrayLike<number>;

/** The model's facts that requests for embeddings are checked against, and the engine that embeds their texts. */
export interface EmbedContext extends EmbeddingEngine {
  readonly tokenizer: Tokenizer;
  /** The pooling of requests that name none. */
  readonly pooling: Pooling;
  readonly adapters: readonly LoraInfo[];
}

/** OpenAI's limit. */
const MAX_INPUTS = 2048;

/** Fields of `EmbedOptions`, which OpenAI's request has here too. */
export const EMBED_FIELDS: readonly string[] = ["pooling", "normalize", "lora", "signal"];

/** @throws NibbleError with the fields' code */
export function checkEmbedOptions(fields: Fields, { pooling, adapters }: EmbedContext): EmbedSettings {
  return {
    pooling: fields.oneOf("pooling", ["mean", "last"]) ?? pooling,
    normalize: fields.boolean("normalize") ?? true,
    adapters: checkLora(fields, adapters),
    signal: checkSignal(fields),
  };
}

/**
 * Token ids of every text.
 * @throws NibbleError `invalid_argument` that names the text, `context_full` for one that is longer than the context
 */
export function embedPrompts(inputs: readonly unknown[], { executor, tokenizer }: EmbedContext): number[][] {
  const { vocabSize, contextLength } = executor;
  if (inputs.length === 0 || inputs.length > MAX_INPUTS)
    throw invalid("input", `1 to ${MAX_INPUTS} texts`, inputs, "invalid_argument");
  return Array.from(inputs, (text, i) => {
    const param = `input[${i}]`;
    const ids = typeof text === "string" ? tokenizer.encode(text) : checkIds(param, text, vocabSize);
    if (text === "" || ids.length === 0) throw invalid(param, "at least one token", text, "invalid_argument");
    if (ids.length > contextLength) {
      const message = `${param} has ${ids.length} tokens; it is too large to process: the context holds ${contextLength}`;
      const figures = { n_prompt_tokens: ids.length, n_ctx: contextLength };
      throw new NibbleError("context_full", message, { param, figures });
    }
    return ids;
  });
}
