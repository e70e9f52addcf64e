/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A loaded model: OpenAI's calls, and the calls that they are built on.
 * @module
 */

import type { NibbleError } from "../base/errors.ts";
import { checkIds, checkNumber, invalid } from "../base/fields.ts";
import type { ChatMessage } from "../chat/template.ts";
import { type ApplyTemplateOptions, ChatPrompts } from "./chat-prompts.ts";
import { completeChat, completeText, type Endpoint } from "./completions.ts";
import { Core, type ModelParts } from "./core.ts";
import { createEmbeddings, embedTexts } from "./embeddings.ts";
import { embeddingSize } from "./generate/embedding.ts";
import type { GenerateEvent } from "./generate/events.ts";
import { generate } from "./generate/generation.ts";
import type { LogLikelihood } from "./generate/log-likelihood.ts";
import { type InfillOptions, infillLack, infillPrompt } from "./infill.ts";
import { logLikelihoods } from "./likelihoods.ts";
import type { LoadFacts, ModelInfo } from "./model-info.ts";
import type { ChatCompletion, ChatCompletionChunk, ChatCompletionRequest } from "./openai/chat-types.ts";
import type { RequestOptions } from "./openai/common-types.ts";
import type { Completion, CompletionRequest } from "./openai/completion-types.ts";
import type { EmbeddingRequest, EmbeddingResponse } from "./openai/embeddings.ts";
import { checkCallOptions, checkFlags, checkTokenizeOptions } from "./request/arguments.ts";
import { checkChatRequest } from "./request/chat.ts";
import type { EmbedInput, EmbedOptions } from "./request/embed-options.ts";
import { checkGenerateOptions, type GenerateOptions } from "./request/generate-options.ts";
import type { LoraChoice } from "./request/lora.ts";
import type { Ranking, RerankOptions } from "./request/rerank-options.ts";
import { rerank } from "./rerank.ts";
import { type SessionCalls, sessionCalls } from "./session-calls.ts";

/** A loaded model. */
export interface Model extends SessionCalls {
  /** Facts about it. */
  readonly info: ModelInfo;
  /** Chat completions, in the form of OpenAI's API. */
  readonly chat: {
    readonly completions: {
      create(
        request: ChatCompletionRequest & { readonly stream: true },
        options?: RequestOptions,
      ): Promise<AsyncIterableIterator<ChatCompletionChunk>>;
      create(
        request: ChatCompletionRequest & { readonly stream?: false | null },
        options?: RequestOptions,
      ): Promise<ChatCompletion>;
      create(
        request: ChatCompletionRequest,
        options?: RequestOptions,
      ): Promise<ChatCompletion | AsyncIterableIterator<ChatCompletionChunk>>;
    };
  };
  /** Text completions, in the form of OpenAI's API. */
  readonly completions: {
    create(
      request: CompletionRequest & { readonly stream: true },
      options?: RequestOptions,
    ): Promise<AsyncIterableIterator<Completion>>;
    create(
      request: CompletionRequest & { readonly stream?: false | null },
      options?: RequestOptions,
    ): Promise<Completion>;
    create(
      request: CompletionRequest,
      options?: RequestOptions,
    ): Promise<Completion | AsyncIterableIterator<Completion>>;
  };
  /**
   * Generates one answer to prompt ids, as token events. The calls above are built on it. The iterator ends after a
   * `finish` event; leaving it early, or the signal, ends the request.
   * @throws NibbleError `invalid_argument` that names the option, `context_full` if the prompt leaves no room;
   * the iterator rejects with the signal's reason, `non_finite_logits`, `context_full`, `disposed` or `poisoned`
   */
  generate(options: GenerateOptions): AsyncIterableIterator<GenerateEvent>;
  /**
   * Scores continuations of a context, given as token ids: how likely each is, one score per continuation. The context is
   * read once, and calls that are made together run in common steps.
   * @param options `lora`: the adapters, as in `generate`; `signal` ends the call
   * @throws NibbleError `invalid_argument` that names the argument; `context_full` if context and continuation, without its
   * last token, are longer than the model's context; the signal's reason, `non_finite_logits`, `disposed` or `poisoned`
   */
  logLikelihoods(
    context: ArrayLike<number>,
    continuations: readonly ArrayLike<number>[],
    options?: { readonly lora?: readonly LoraChoice[] | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<LogLikelihood[]>;
  /** Embeddings, in the form of OpenAI's API. */
  readonly embeddings: {
    create(request: EmbeddingRequest, options?: RequestOptions): Promise<EmbeddingResponse>;
  };
  /**
   * Embeds texts, given as they are or as token ids: f32[hidden size] each, or f32[dimensions]. With pooling "none" a text
   * has a row of that width for each of its tokens, one after the other.
   * @throws NibbleError `invalid_argument` that names the option or text, `context_full` for a text longer than the context;
   * the signal's reason, `disposed` or `poisoned`
   */
  embed(texts: readonly EmbedInput[], options?: EmbedOptions): Promise<Float32Array[]>;
  /**
   * Scores how well each document answers the query, with a model that was made for it (a reranker), the best first.
   * @throws NibbleError `not_supported` for a model without a head for that; `invalid_argument`, `context_full`; the
   * signal's reason, `disposed` or `poisoned`
   */
  rerank(query: string, documents: readonly string[], options?: RerankOptions): Promise<Ranking>;
  /**
   * The token ids of a text. With `special` (default true), text that spells a special token becomes that token.
   * `addBos` says whether BOS is added (default: as the model asks). `complete` (default false) adds the tokens that the
   * model's files put behind a text, such as one that is embedded. A text of more than `limit` tokens is refused as soon as
   * that is known, often before any of it is read.
   * @throws NibbleError `invalid_argument`; `limit_exceeded` beyond `limit`
   */
  tokenize(
    text: string,
    options?: { special?: boolean; addBos?: boolean; complete?: boolean; limit?: number },
  ): number[];
  /** The text of some ids. `skipSpecial` (default false) leaves special tokens out. */
  detokenize(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): string;
  /** The bytes of one token, UTF-8 that may begin or end within a character. */
  tokenBytes(id: number): Uint8Array;
  /**
   * The prompt for a conversation, as the model's template writes it, BOS included. As in transformers, text of a
   * message that spells a special token becomes that token when the prompt is tokenized.
   */
  applyTemplate(messages: readonly ChatMessage[], options?: ApplyTemplateOptions): string;
  /** The prompt that a chat completion makes of its request, with its tools. @throws NibbleError as the completion does */
  chatPrompt(request: ChatCompletionRequest, options?: RequestOptions): { text: string; ids: number[] };
  /**
   * The prompt, for `generate` or a completion, that asks for the text of a gap between `prefix` and `suffix` (fill in the
   * middle; `info.infill`), with the order and the limits of llama-server's /infill. Both are texts or token ids, and of
   * long ones the part next to the gap is kept. Text that spells a special token stays text.
   * @throws NibbleError `not_supported` for a model without the tokens for this, `invalid_argument`, `context_full`
   */
  infillPrompt(
    prefix: string | readonly number[],
    suffix: string | readonly number[],
    options?: InfillOptions,
  ): number[];
  /**
   * The same model for a caller whose prompts others must not learn: its requests and sessions reuse cached prefixes only
   * among those of the same salt. The time to a first token tells whether a prefix was cached, so whoever shares the cache
   * can ask what others have asked. Limits, memory, `stats` and `dispose` are those of the model.
   * @param cacheSalt any text, one per group of callers who trust each other
   */
  withCacheSalt(cacheSalt: string): Model;
  /**
   * 32 hexadecimal digits. Two models with the same fingerprint give the same tokens to the same request with the same
   * seed, on any host; it is computed from the weights when it is first asked for (0.25 ms per MB).
   */
  fingerprint(): string;
  /**
   * The load of the model: requests that have not ended, pages of the key-value cache that hold tokens of these
   * requests and of sessions, and pages that keep tokens of ended requests for reuse.
   */
  stats(): { readonly requests: number; readonly usedPages: number; readonly cachedPages: number };
  /**
   * Frees the pages that keep tokens of ended requests and sessions. Otherwise they are kept until their pages are
   * needed.
   */
  clearPrefixCache(): void;
  /**
   * Resolves when the model can compute no more: to the error `poisoned` that its calls then fail with, after a trap in
   * WebAssembly or where one of its threads has ended. Load it again then. (`dispose` does not resolve it.)
   */
  readonly lost: Promise<NibbleError>;
  /** Ends all requests and sessions and frees the memory. Afterwards every call fails with code `disposed`. */
  dispose(): void;
  /** `dispose`, for `using model = await load(...)`. */
  [Symbol.dispose](): void;
}

/** @throws NibbleError `template_error` if the model's template does not parse */
export function createModel(parts: ModelParts): Model {
  const core = new Core(parts);
  const prompts = new ChatPrompts(core, parts.templates);
  return modelOf({ core, prompts }, infoOf(parts, core, prompts));
}

function modelOf(endpoint: Endpoint, info: ModelInfo): Model {
  const { core, prompts } = endpoint;
  const model: Model = {
    info,
    chat: {
      completions: {
        create: ((body, options) => completeChat(endpoint, body, options)) as Model["chat"]["completions"]["create"],
      },
    },
    completions: {
      create: ((body, options) => completeText(core, body, options)) as Model["completions"]["create"],
    },
    logLikelihoods: (context, continuations, options) => logLikelihoods(core, context, continuations, options),
    embeddings: { create: (body, options) => createEmbeddings(core, body, options) },
    embed: (texts, options) => embedTexts(core, texts, options),
    rerank: (query, documents, options) => rerank(core, query, documents, options),
    generate(options) {
      core.checkGenerates();
      // Its settings do not ask for the progress of the prompt.
      const settings = checkGenerateOptions(options, core.context);
      return generate(core.engine, settings) as AsyncIterableIterator<GenerateEvent>;
    },
    ...textCalls(core, prompts),
    ...sessionCalls(core),
    fingerprint: () => core.fingerprint,
    withCacheSalt(cacheSalt) {
      if (typeof cacheSalt !== "string") throw invalid("cacheSalt", "a string", cacheSalt, "invalid_argument");
      return modelOf({ core: core.salted(cacheSalt), prompts }, info);
    },
    lost: core.executor.lost,
    stats: () => core.stats(),
    clearPrefixCache: () => core.clearPrefixCache(),
    dispose: () => core.dispose(),
    [Symbol.dispose]: () => core.dispose(),
  };
  cores.set(model, core);
  return model;
}

const cores = new WeakMap<object, Core>();

/** The core of a model that `createModel` has made; undefined for any other value. */
export function coreOf(value: unknown): Core | undefined {
  return typeof value === "object" && value !== null ? cores.get(value) : undefined;
}

function infoOf(parts: ModelParts, core: Core, prompts: ChatPrompts): ModelInfo {
  const { context, executor, embedding } = core;
  return {
    ...(parts.facts as LoadFacts), // only tests put a model together without files
    ...prompts.turnTokens(),
    name: parts.name,
    architecture: parts.architecture,
    contextLength: executor.contextLength,
    vocabSize: executor.vocabSize,
    hiddenSize: embeddingSize(executor),
    embedding: { ...embedding.facts, prompts: Object.fromEntries(embedding.facts.prompts) },
    chatTemplate: prompts.origin,
    sampling: context.defaults,
    lora: context.adapters,
    endIds: [...context.endIds],
    infill: infillLack(core) === undefined,
  };
}

/** The calls between text and token ids. */
function textCalls(
  core: Core,
  prompts: ChatPrompts,
): Pick<Model, "tokenize" | "detokenize" | "tokenBytes" | "applyTemplate" | "chatPrompt" | "infillPrompt"> {
  const { tokenizer, executor, context } = core;
  return {
    tokenize(text, options) {
      core.checkLive();
      if (typeof text !== "string") throw invalid("text", "a string", text, "invalid_argument");
      const { complete, ...settings } = checkTokenizeOptions(options);
      const ids = tokenizer.encode(text, settings);
      return complete ? ids.concat(tokenizer.around.after) : ids;
    },
    detokenize(ids, options) {
      core.checkLive();
      return tokenizer.decode(checkIds("ids", ids, executor.vocabSize), checkFlags(options, ["skipSpecial"]));
    },
    tokenBytes(id) {
      core.checkLive();
      return tokenizer.tokenBytes(
        checkNumber("id", id, { min: 0, max: executor.vocabSize - 1, integer: true }, "invalid_argument"),
      );
    },
    applyTemplate: (messages, options) => prompts.apply(messages, options),
    chatPrompt(request, options) {
      core.checkLive();
      const { rules } = checkCallOptions(options);
      const { text, ids } = prompts.of(checkChatRequest(request, context, rules), rules);
      return { text, ids };
    },
    infillPrompt: (prefix, suffix, options) => infillPrompt(core, prefix, suffix, options),
  };
}
