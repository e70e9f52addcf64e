/**
 * A loaded model: OpenAI's calls, and what stands below them.
 * @module
 */

import { NibbleError } from "../base/errors.ts";
import { checkIds, Fields, invalid } from "../base/fields.ts";
import { fallbackTemplate } from "../chat/fallback.ts";
import { CLOSE_TAG, opensReasoning } from "../chat/reasoning.ts";
import { type ChatMessage, type ChatTemplate, compileTemplate } from "../chat/template.ts";
import type { Executor } from "../runtime/types.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import { Grammars } from "./constrain/grammars.ts";
import {
  checkEmbedOptions,
  EMBED_FIELDS,
  type EmbedContext,
  type EmbedInput,
  type EmbedOptions,
  embed,
  embedPrompts,
} from "./embed.ts";
import type { GenerateEvent, GenerateOptions, GenerationSettings } from "./generate.ts";
import { generate, type Machine } from "./generation.ts";
import { checkLora, type LoraChoice, type LoraInfo } from "./lora.ts";
import { chatChunks, collectChat, collectCompletion, completionChunks } from "./openai/chunks.ts";
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionRequest,
  Completion,
  CompletionRequest,
  EmbeddingRequest,
  EmbeddingResponse,
  RequestOptions,
} from "./openai/types.ts";
import { checkFlags, checkTemplateArguments, pickSignal } from "./request/arguments.ts";
import { checkEmbeddingRequest, embeddingResponse } from "./request/embeddings.ts";
import { checkGenerateOptions, checkPrompt } from "./request/generate.ts";
import {
  type CheckedChatRequest,
  checkChatRequest,
  checkCompletionRequest,
  type RequestContext,
} from "./request/request.ts";
import { callMasks, callParser, freeCalls, SHOWN_WITH_TOOLS, showTools, toolSupport } from "./request/tools.ts";
import { Candidates } from "./sample/candidates.ts";
import { SAMPLING_DEFAULTS, type SamplingDefaults } from "./sample/defaults.ts";
import type { Pooling } from "./schedule/batch-plan.ts";
import { PrefixCache } from "./schedule/prefix-cache.ts";
import { Scheduler, type SchedulerOptions } from "./schedule/scheduler.ts";
import { Session, type SessionParts } from "./session/session.ts";

export interface ModelInfo {
  readonly name: string;
  /** `general.architecture`, such as "llama4". */
  readonly architecture: string;
  /** Most tokens of a prompt and its answer together. */
  readonly contextLength: number;
  readonly vocabSize: number;
  /** Width of an embedding. */
  readonly hiddenSize: number;
  /** Where the chat template comes from; "none": only completions work. */
  readonly chatTemplate: "model" | "fallback" | "none";
  /** Settings of a request that names none. */
  readonly sampling: SamplingDefaults;
  /** Low-rank adapters that requests may choose. */
  readonly lora: readonly LoraInfo[];
  /** Tokens that end an answer. */
  readonly endIds: readonly number[];
  readonly [fact: string]: unknown;
}

export interface ModelParts {
  readonly name: string;
  readonly architecture: string;
  readonly tokenizer: Tokenizer;
  readonly executor: Executor;
  /** Jinja source from the model's files. */
  readonly template?: string | undefined;
  readonly defaults?: SamplingDefaults | undefined;
  readonly adapters?: readonly Omit<LoraInfo, "id">[] | undefined;
  /** Of embeddings that name none (default "mean"). */
  readonly pooling?: Pooling | undefined;
  /** More facts for `info`. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
  readonly scheduler?: SchedulerOptions | undefined;
  /** Whether requests and sessions take over what others have computed (default true). */
  readonly prefixCache?: boolean | undefined;
}

export interface ApplyTemplateOptions {
  /** End with the header of the assistant's turn (default true). */
  readonly addGenerationPrompt?: boolean;
  readonly tools?: readonly unknown[];
  /** More variables for the template, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** What the template's `strftime_now` tells (default: now). */
  readonly now?: Date;
}

export interface Model {
  readonly info: ModelInfo;
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
   * Token events of one answer to prompt ids: what the calls above are made of. The iterator ends after a `finish`
   * event; leaving it early, or the signal, ends the request.
   * @throws NibbleError `invalid_argument` that names the option, `context_full` if the prompt leaves no room;
   * the iterator rejects with the signal's reason, `non_finite_logits`, `context_full`, `disposed` or `poisoned`
   */
  generate(options: GenerateOptions): AsyncIterableIterator<GenerateEvent>;
  readonly embeddings: {
    create(request: EmbeddingRequest, options?: RequestOptions): Promise<EmbeddingResponse>;
  };
  /**
   * Embeds texts, given as they are or as token ids: f32[hidden size] each.
   * @throws NibbleError `invalid_argument` that names the option or text, `context_full` for a text longer than the context;
   * the signal's reason, `disposed` or `poisoned`
   */
  embed(texts: readonly EmbedInput[], options?: EmbedOptions): Promise<Float32Array[]>;
  /** `special` (default true): text that spells a special token becomes it. `addBos`: default as the model asks. */
  tokenize(text: string, options?: { special?: boolean; addBos?: boolean }): number[];
  detokenize(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): string;
  /**
   * The prompt for a conversation, as the model's template writes it, BOS included. As in transformers, text of a
   * message that spells a special token becomes that token when the prompt is tokenized.
   */
  applyTemplate(messages: readonly ChatMessage[], options?: ApplyTemplateOptions): string;
  /** The prompt that a chat completion makes of its request, with its tools. @throws NibbleError as the completion does */
  chatPrompt(request: ChatCompletionRequest): { text: string; ids: number[] };
  /** @param options adapters as in `generate` */
  session(options?: { readonly lora?: readonly LoraChoice[] | undefined }): Session;
  /**
   * A session from bytes that its `save` gave, here or elsewhere.
   * @throws NibbleError `bad_magic`, `unsupported_version`, `truncated`, `limit_exceeded` or `bad_value` for bytes that
   * are no session of this model; `context_full`
   */
  restore(bytes: Uint8Array): Session;
  /**
   * Requests that have not ended, pages of the key-value cache that hold their tokens or a session's, and pages that
   * hold what ended ones have left for others.
   */
  load(): { readonly requests: number; readonly usedPages: number; readonly cachedPages: number };
  /** Forgets the tokens of ended requests and sessions, whose pages are otherwise kept until others need them. */
  clearPrefixCache(): void;
  /** Ends all requests and sessions and frees the memory. Afterwards every call fails with code `disposed`. */
  dispose(): void;
}

/** @throws NibbleError `template_error` if the model's template does not parse */
export function createModel(parts: ModelParts): Model {
  const { tokenizer, executor, name } = parts;
  const prefixes = new PrefixCache(executor, parts.prefixCache);
  const scheduler = new Scheduler(executor, prefixes, parts.scheduler);
  const grammars = new Grammars(tokenizer);
  const candidates = new Candidates(executor.vocabSize);
  const machine: Machine = { tokenizer, executor, scheduler, candidates };
  const adapters = (parts.adapters ?? []).map((adapter, id): LoraInfo => ({ id, ...adapter }));
  const embedding: EmbedContext = { executor, tokenizer, scheduler, pooling: parts.pooling ?? "mean", adapters };
  const sessions: SessionParts = { executor, prefixes, open: new Set() };
  const [template, origin] = chooseTemplate(parts);
  const support = toolSupport(parts.template, template?.names);
  const { contextLength, vocabSize } = executor;
  const { endIds } = tokenizer;
  const defaults = parts.defaults ?? SAMPLING_DEFAULTS;
  const context: RequestContext = { vocabSize, contextLength, endIds, defaults, grammars, adapters };
  const pages = executor.freePages;
  let disposed = false;

  function live(): void {
    if (disposed) throw new NibbleError("disposed", `the model ${name} is disposed`);
  }

  function applyTemplate(messages: readonly ChatMessage[], options: ApplyTemplateOptions = {}): string {
    live();
    checkTemplateArguments(messages, options);
    // Fails with an explanation if there is no template.
    const { render } = template ?? compileTemplate(fallbackTemplate(tokenizer));
    const text = (id: number | undefined) => (id === undefined ? undefined : tokenizer.token(id));
    return render({
      messages,
      addGenerationPrompt: options.addGenerationPrompt ?? true,
      bosToken: text(tokenizer.bosId),
      eosToken: text(tokenizer.eosId),
      tools: options.tools,
      extra: new Map(Object.entries(options.variables ?? {})),
      now: options.now,
    });
  }

  /** Checks now, starts when the events are asked for; `n` choices, of which the first reads the prompt for all. */
  function prepare(settings: GenerationSettings, n: number): (() => AsyncIterable<GenerateEvent>)[] {
    checkPrompt(settings.prompt, context);
    return Array.from({ length: n }, (_, choice) => () => {
      live();
      return generate(machine, { ...settings, choice });
    });
  }

  function promptOf(request: CheckedChatRequest): { text: string; ids: number[] } {
    checkVariableNames(request.templateVariables, template);
    const variables = Object.fromEntries(request.templateVariables);
    const conversation = showTools(request.messages, request.tools?.tools, support);
    const text = applyTemplate(conversation.messages, { variables, ...conversation.options });
    // The template has written BOS if the model wants one.
    return { text, ids: tokenizer.encode(text, { special: true, addBos: false }) };
  }

  async function createChat(body: unknown, options?: RequestOptions) {
    live();
    const request = checkChatRequest(body, context);
    const { tools } = request;
    const { text: prompt, ids } = promptOf(request);
    const masks = tools?.required ? callMasks(tools, support.format!, grammars) : request.masks;
    const opened = opensReasoning(prompt);
    const reasoning = mayReason(prompt, request, parts.template) ? { tokens: grammars.reasoning, opened } : undefined;
    const settings = {
      ...request.options,
      ...pickSignal(options),
      prompt: ids,
      constraint: masks ? { masks, reasoning } : tools && freeCalls(tools, support.format!, grammars, opened),
      ...(tools && { shown: SHOWN_WITH_TOOLS }),
    };
    const starts = prepare(settings, request.n);
    const { splitReasoning, includeUsage, stream } = request;
    const chunks = chatChunks(starts, {
      model: name,
      tokens: tokenizer,
      includeUsage: includeUsage || !stream,
      splitReasoning,
      prompt,
      calls: tools && callParser(tools, support.format!),
    });
    return stream ? chunks : collectChat(chunks);
  }

  async function createCompletion(body: unknown, options?: RequestOptions) {
    live();
    const request = checkCompletionRequest(body, context);
    const { prompt, echo, n, stream, includeUsage, masks, options: checked } = request;
    const ids = typeof prompt === "string" ? tokenizer.encode(prompt) : prompt;
    const constraint = masks && { masks, reasoning: undefined };
    const starts = prepare({ ...checked, ...pickSignal(options), prompt: ids, constraint }, n);
    const chunks = completionChunks(starts, {
      model: name,
      tokens: tokenizer,
      includeUsage: includeUsage || !stream,
      echo: echo ? { ...promptText(prompt, ids, tokenizer), ids, logprobs: checked.logprobs !== undefined } : undefined,
      promptLogprobs: request.promptLogprobs,
    });
    return stream ? chunks : collectCompletion(chunks);
  }

  return {
    info: {
      ...parts.facts,
      name,
      architecture: parts.architecture,
      contextLength,
      vocabSize,
      hiddenSize: executor.hiddenSize,
      chatTemplate: origin,
      sampling: defaults,
      lora: adapters,
      endIds: [...endIds],
    },
    chat: { completions: { create: createChat as Model["chat"]["completions"]["create"] } },
    completions: { create: createCompletion as Model["completions"]["create"] },
    embeddings: {
      async create(body, options) {
        live();
        const request = checkEmbeddingRequest(body, embedding);
        const prompts = embedPrompts(request.inputs, embedding);
        const result = await embed(prompts, { ...request.settings, ...pickSignal(options) }, embedding);
        return embeddingResponse(result, name, request.base64);
      },
    },
    async embed(texts, options) {
      live();
      const checked = checkEmbedOptions(new Fields(options ?? {}, EMBED_FIELDS, "", "invalid_argument"), embedding);
      if (!Array.isArray(texts)) throw invalid("texts", "an array of texts", texts, "invalid_argument");
      return (await embed(embedPrompts(texts, embedding), checked, embedding)).vectors;
    },
    generate(options) {
      live();
      return generate(machine, checkGenerateOptions(options, context));
    },
    tokenize(text, options) {
      live();
      if (typeof text !== "string") throw invalid("text", "a string", text, "invalid_argument");
      return tokenizer.encode(text, checkFlags(options, ["special", "addBos"]));
    },
    detokenize(ids, options) {
      live();
      return tokenizer.decode(checkIds("ids", ids, vocabSize), checkFlags(options, ["skipSpecial"]));
    },
    applyTemplate,
    chatPrompt(request) {
      live();
      return promptOf(checkChatRequest(request, context));
    },
    session(options) {
      live();
      const fields = new Fields(options ?? {}, ["lora"], "", "invalid_argument");
      return new Session(sessions, prefixes.acquire([], checkLora(fields, adapters)));
    },
    restore(bytes) {
      live();
      if (!(bytes instanceof Uint8Array)) throw invalid("bytes", "a Uint8Array", bytes, "invalid_argument");
      return Session.restore(sessions, bytes);
    },
    load() {
      live();
      const { usedPages } = prefixes;
      return { requests: scheduler.size, usedPages, cachedPages: pages - executor.freePages - usedPages };
    },
    clearPrefixCache() {
      live();
      prefixes.clear();
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      for (const session of [...sessions.open]) session.dispose();
      scheduler.failAll(new NibbleError("disposed", `the model ${name} was disposed`));
      executor.dispose();
    },
  };
}

/** A prompt as text, and where its tokens begin; one that came as text stays as it was, without the BOS. */
function promptText(
  prompt: string | readonly number[],
  ids: readonly number[],
  tokenizer: Tokenizer,
): { text: string; offsets: readonly number[] } {
  const decoder = tokenizer.decoder({ skipSpecial: typeof prompt === "string" });
  let text = "";
  const offsets = ids.map((id) => {
    const { length } = text;
    text += decoder.push(id);
    return length;
  });
  return { text: typeof prompt === "string" ? prompt : text + decoder.end(), offsets };
}

function chooseTemplate({ template, tokenizer }: ModelParts): [ChatTemplate | undefined, ModelInfo["chatTemplate"]] {
  if (template !== undefined) return [compileTemplate(template), "model"];
  try {
    return [compileTemplate(fallbackTemplate(tokenizer)), "fallback"];
  } catch {
    return [undefined, "none"];
  }
}

/** The prompt leaves a `<think>` open, or the model may write one itself: its template knows the tag, or the caller says so. */
function mayReason(
  prompt: string,
  { splitReasoning, reasoningExpected }: CheckedChatRequest,
  template: string | undefined,
): boolean {
  if (opensReasoning(prompt)) return true;
  if (!splitReasoning || prompt.trimEnd().endsWith(CLOSE_TAG)) return false;
  return reasoningExpected || (template?.includes(CLOSE_TAG) ?? false);
}

function checkVariableNames(variables: ReadonlyMap<string, unknown>, template: ChatTemplate | undefined): void {
  for (const variable of variables.keys()) {
    if (template && !template.names.has(variable)) {
      const param = `chat_template_kwargs.${variable}`;
      throw new NibbleError("invalid_request", `${param}: the model's chat template does not read it`, { param });
    }
  }
}
