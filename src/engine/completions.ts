/**
 * OpenAI's chat and text completions, from the body of a request to the answers in OpenAI's shape.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { CLOSE_TAG } from "../chat/reasoning.ts";
import type { ToolFormat } from "../chat/tool-format.ts";
import { readTurn } from "../chat/turn.ts";
import type { TokenMasks } from "../grammar/matcher/token-masks.ts";
import type { ChatPrompt, ChatPrompts } from "./chat-prompts.ts";
import type { Grammars } from "./constrain/grammars.ts";
import type { Core } from "./core.ts";
import { generate } from "./generate/generation.ts";
import type { GenerationSettings } from "./generate/settings.ts";
import { infillIds, infillLack } from "./infill.ts";
import { type ChatStart, chatChunks, collectChat } from "./openai/chat.ts";
import type { ChatCompletion, ChatCompletionChunk } from "./openai/chat-types.ts";
import { type CompletionStart, collectCompletion, completionChunks } from "./openai/completion.ts";
import type { Completion } from "./openai/completion-types.ts";
import { idTexts, type TokenTexts } from "./openai/logprobs.ts";
import { echoOf, encodePrompt } from "./prompt-text.ts";
import { checkCallOptions } from "./request/arguments.ts";
import { boundedEncode } from "./request/bounded-encode.ts";
import { type CheckedChatRequest, checkChatRequest } from "./request/chat.ts";
import type { CommonRequest } from "./request/common.ts";
import { type CheckedCompletionRequest, type CompletionPrompt, checkCompletionRequest } from "./request/completion.ts";
import { checkPrompt } from "./request/generate-options.ts";
import { compileNamed } from "./request/structured.ts";
import { callMasks, callOrFormatMasks, callParser, freeCalls, SHOWN_WITH_TOOLS } from "./request/tool-support.ts";

/** The parts of a model that completions use. */
export interface Endpoint {
  readonly core: Core;
  readonly prompts: ChatPrompts;
}

/** @throws NibbleError `invalid_request` that names the field, `template_error`, `context_full`, `disposed` */
export async function completeChat(
  { core, prompts }: Endpoint,
  body: unknown,
  options: unknown,
): Promise<ChatCompletion | AsyncGenerator<ChatCompletionChunk, undefined>> {
  core.checkGenerates();
  const { signal, rules } = checkCallOptions(options);
  const request = checkChatRequest(body, core.context, rules);
  const prompt = prompts.of(request, rules);
  const settings = {
    ...request.options,
    ...signal,
    prompt: checkPrompt(prompt.ids, core.context),
    begun: prompt.begun,
    constraint: constraintOf(request, prompt, { core, prompts }),
    ...(request.tools && !request.options.shown && { shown: SHOWN_WITH_TOOLS }),
  };
  const starts = choices(request.n).map((choice) => starter(core, { ...settings, choice }));
  const chunks = chatChunks(starts, {
    model: core.name,
    tokens: tokenTexts(core, request),
    promptIds: request.tokenIds ? prompt.ids : undefined,
    includeUsage: request.includeUsage || !request.stream,
    splitReasoning: request.splitReasoning,
    begun: prompt.begun,
    functions: request.tools?.functions ?? false,
    calls: request.tools && callParser(request.tools, prompts.support, request.format === undefined),
  });
  return request.stream ? chunks : collectChat(chunks);
}

/** @throws NibbleError `invalid_request` that names the field, `context_full`, `disposed` */
export async function completeText(
  core: Core,
  body: unknown,
  options: unknown,
): Promise<Completion | AsyncGenerator<Completion, undefined>> {
  core.checkGenerates();
  const { signal, rules } = checkCallOptions(options);
  const request = checkCompletionRequest(body, core.context, rules);
  const chunks = completionChunks(textStarts(core, request, signal), {
    model: core.name,
    tokens: tokenTexts(core, request),
    includeUsage: request.includeUsage || !request.stream,
    promptLogprobs: request.promptLogprobs,
    detailed: request.detailed,
  });
  return request.stream ? chunks : collectCompletion(chunks);
}

/** The answers to each prompt. The first answer to a prompt computes it for the others. */
function textStarts(
  core: Core,
  request: CheckedCompletionRequest,
  signal: { readonly signal?: AbortSignal },
): CompletionStart[] {
  const { prompts, n, format, echo, tokenIds, options } = request;
  const { tokenizer, context } = core;
  const masks = format && compileNamed(format.source, format.param, context.grammars);
  const constraint = masks && { masks, reasoning: undefined };
  return prompts.flatMap((prompt, i) => {
    const name = prompts.length === 1 ? "prompt" : `prompt[${i}]`;
    const ids = checkPrompt(promptIds(core, request, prompt, name), context, name);
    const echoed = echo ? { ...echoOf(prompt, ids, tokenizer), logprobs: options.logprobs !== undefined } : undefined;
    const settings = { ...options, ...signal, prompt: ids, begun: "", constraint };
    return choices(n).map((choice) => ({
      start: starter(core, { ...settings, choice }),
      prompt: i,
      echo: echoed,
      promptIds: tokenIds ? ids : undefined,
    }));
  });
}

/** The ids of a prompt, or of the prompt for the gap between it and the suffix. */
function promptIds(
  core: Core,
  { suffix, addBos }: CheckedCompletionRequest,
  prompt: CompletionPrompt,
  param: string,
): number[] {
  const { tokenizer, context } = core;
  const encode = boundedEncode(tokenizer, context.contextLength, param);
  if (suffix === undefined) return encodePrompt(prompt, encode, addBos);
  const lack = infillLack(core);
  if (lack !== undefined) throw new NibbleError("invalid_request", `suffix: ${lack}`, { param: "suffix" });
  const plain = { special: false, addBos: false };
  const prefix = typeof prompt === "string" ? encode(prompt, plain) : encodePrompt(prompt, encode, false);
  const after = boundedEncode(tokenizer, context.contextLength, "suffix")(suffix, plain);
  return infillIds(core, { prefix, suffix: after, addBos });
}

/** How log-probabilities name tokens. */
function tokenTexts({ tokenizer }: Core, { idsAsTexts }: CommonRequest): TokenTexts {
  return idsAsTexts ? idTexts(tokenizer) : tokenizer;
}

function choices(n: number): number[] {
  return Array.from({ length: n }, (_, choice) => choice);
}

/** Makes the function that starts an answer. It is called when the answer's first event is asked for. */
function starter(core: Core, settings: GenerationSettings): ChatStart {
  return () => {
    core.checkGenerates();
    return generate(core.engine, settings);
  };
}

/** The constraint that an answer's format or tools put on it. */
function constraintOf(
  request: CheckedChatRequest,
  { begun }: ChatPrompt,
  { core, prompts }: Endpoint,
): GenerationSettings["constraint"] {
  const { tools } = request;
  const { grammars } = core.context;
  const masks = masksOf(request, prompts.support.format, grammars);
  if (masks) {
    const source = prompts.source(tools !== undefined);
    const reasoning = mayReason(begun, request, source) ? grammars.reasoning : undefined;
    return { masks, reasoning, begun };
  }
  return tools && freeCalls(tools, prompts.support.format, grammars, begun);
}

/** The grammar of the whole answer: a call where one is required, else a call or the format, or the format alone. */
function masksOf({ tools, format }: CheckedChatRequest, calls: ToolFormat, grammars: Grammars): TokenMasks | undefined {
  if (tools?.required) return callMasks(tools, calls, grammars);
  if (!format) return undefined;
  if (tools) return callOrFormatMasks(tools, calls, format, grammars);
  return compileNamed(format.source, format.param, grammars);
}

/**
 * Whether the answer may begin with reasoning: the prompt leaves a `<think>` open, the model's template knows the tag,
 * or the caller says so.
 */
function mayReason(
  begun: string,
  { splitReasoning, reasoningExpected }: CheckedChatRequest,
  template: string | undefined,
): boolean {
  const { phase } = readTurn(begun);
  if (phase !== "start") return phase === "reasoning" || phase === "gap";
  return splitReasoning && (reasoningExpected || (template?.includes(CLOSE_TAG) ?? false));
}
