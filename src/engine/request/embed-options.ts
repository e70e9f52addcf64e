/**
 * The options of `model.embed`, and the check of its texts.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { checkIds, checkSignal, conflict, type Fields, invalid } from "../../base/fields.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import { type EmbeddingEngine, type EmbedSettings, embeddingSize, type TextTokens } from "../generate/embedding.ts";
import type { EmbeddingFacts } from "../generate/embedding-facts.ts";
import { POOLINGS, type Pooling } from "../schedule/batch-plan.ts";
import { boundedEncode } from "./bounded-encode.ts";
import { checkLora, type LoraChoice, type LoraInfo } from "./lora.ts";

/** How texts are embedded. */
export interface EmbedOptions {
  /**
   * The mean over all tokens; the state of the first token ("cls") or of the last one, which in a causal model has attended
   * to all others; or "none" for the states of all tokens. Default: the model's, else mean.
   */
  readonly pooling?: Pooling | undefined;
  /** Scale to length 1, so that a dot product is the cosine. Default: as the model's files say, else true. */
  readonly normalize?: boolean | undefined;
  /**
   * How many of the first numbers of each vector are kept, for models that were trained so (Matryoshka). Default: all.
   * The scaling to length 1 comes after the cut.
   */
  readonly dimensions?: number | undefined;
  /** The name of one of the model's prompts (`info.embedding.prompts`), which is put in front of each text. */
  readonly promptName?: string | undefined;
  /** A text to put in front of each text. Default: the model's default prompt, if it has one. */
  readonly prompt?: string | undefined;
  /** Cut texts that are too long, as sentence-transformers does. Default false: they are an error. */
  readonly truncate?: boolean | undefined;
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
  readonly facts: EmbeddingFacts;
  readonly adapters: readonly LoraInfo[];
  /** The text around a query and a document, for rerankers that have one. */
  readonly rankTemplate: string | undefined;
}

/** Checked options of one call. */
export interface CheckedEmbedOptions {
  readonly settings: EmbedSettings;
  readonly texts: TextOptions;
}

/** How texts become tokens. */
export interface TextOptions {
  readonly prompt: string;
  readonly truncate: boolean;
}

/** OpenAI's limit. */
const MAX_INPUTS = 2048;
const MAX_PROMPT = 2 ** 16;

/** Fields of `EmbedOptions`, which OpenAI's request has here too, with `prompt_name` for `promptName`. */
export const EMBED_FIELDS: readonly string[] = [
  ...["pooling", "normalize", "dimensions", "promptName", "prompt", "truncate", "lora", "signal"],
];

/** @throws NibbleError with the fields' code; `not_supported` for a model that ranks documents */
export function checkEmbedOptions(fields: Fields, context: EmbedContext, promptName: string): CheckedEmbedOptions {
  const { facts, adapters, executor } = context;
  if (facts.rank) throw new NibbleError("not_supported", "this model ranks documents (rerank) and makes no embeddings");
  const pooling = fields.oneOf("pooling", POOLINGS) ?? facts.pooling;
  return {
    settings: {
      pooling,
      normalize: fields.boolean("normalize") ?? (pooling !== "none" && facts.normalize),
      dimensions: fields.number("dimensions", { min: 1, max: embeddingSize(executor), integer: true }),
      adapters: checkLora(fields, adapters),
      signal: checkSignal(fields),
    },
    texts: { prompt: checkPrompt(fields, facts, promptName), truncate: fields.boolean("truncate") ?? false },
  };
}

function checkPrompt(fields: Fields, { prompts, defaultPrompt }: EmbeddingFacts, key: string): string {
  const name = fields.string(key, 1024);
  const prompt = fields.string("prompt", MAX_PROMPT);
  if (name !== undefined && prompt !== undefined)
    throw conflict(fields.param(key), "prompt", "both say what comes in front of a text", fields.rules.code);
  if (prompt !== undefined) return prompt;
  const known = prompts.get(name ?? defaultPrompt ?? "");
  if (known !== undefined || name === undefined) return known ?? "";
  const names = [...prompts.keys()].map((one) => JSON.stringify(one)).join(", ");
  throw fields.invalid(key, names ? `one of ${names}` : "none: the model has no named prompts", name);
}

/**
 * Token ids of every text, with the tokens that the model's files put around one. Token ids stay as they are.
 * @throws NibbleError `invalid_argument` that names the text, `context_full` for one that is longer than the context
 */
export function embedPrompts(
  inputs: readonly unknown[],
  { executor, tokenizer, facts }: EmbedContext,
  { prompt, truncate }: TextOptions,
): TextTokens[] {
  const { vocabSize, contextLength } = executor;
  if (inputs.length === 0 || inputs.length > MAX_INPUTS)
    throw invalid("input", `1 to ${MAX_INPUTS} texts`, inputs, "invalid_argument");
  const most = truncate ? Math.min(contextLength, facts.maxLength ?? contextLength) : contextLength;
  return Array.from(inputs, (text, i) => {
    const param = `input[${i}]`;
    const isText = typeof text === "string";
    const suffix = isText ? tokenizer.around.after : [];
    // A text that is cut may have any length, of which only the beginning is read.
    const encode = boundedEncode(tokenizer, contextLength, param);
    const read = (all: string) => (truncate ? tokenizer.encode(all, { enough: most }) : encode(all));
    const ids = isText ? read(prompt + text) : checkIds(param, text, vocabSize);
    if (truncate && ids.length > most - suffix.length) ids.length = most - suffix.length;
    ids.push(...suffix);
    if (ids.length === 0) throw invalid(param, "at least one token", text, "invalid_argument");
    if (ids.length > most) throw tooLong(param, ids.length, most);
    return { ids };
  });
}

/** The error for a text that is longer than the context, with llama-server's figures. */
export function tooLong(param: string, length: number, context: number): NibbleError {
  const message = `${param} has ${length} tokens; it is too large to process: the context holds ${context}`;
  return new NibbleError("context_full", message, { param, figures: { n_prompt_tokens: length, n_ctx: context } });
}
