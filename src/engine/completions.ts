/**
 * OpenAI's chat and text completions: a checked request, its prompt, its answers, and their shape.
 * @module
 */
import { CLOSE_TAG, opensReasoning } from "../chat/reasoning.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import type { ChatPrompts } from "./chat-prompts.ts";
import type { Core } from "./core.ts";
import type { GenerateEvent } from "./generate/events.ts";
import { generate } from "./generate/generation.ts";
import type { GenerationSettings } from "./generate/settings.ts";
import { chatChunks, collectChat } from "./openai/chat.ts";
import type { ChatCompletion, ChatCompletionChunk } from "./openai/chat-types.ts";
import { collectCompletion, completionChunks } from "./openai/completion.ts";
import type { Completion } from "./openai/completion-types.ts";
import { pickSignal } from "./request/arguments.ts";
import { type CheckedChatRequest, checkChatRequest } from "./request/chat.ts";
import { checkCompletionRequest } from "./request/completion.ts";
import { checkPrompt } from "./request/generate-options.ts";
import { callMasks, callParser, freeCalls, SHOWN_WITH_TOOLS } from "./request/tool-support.ts";

/** What a chat completion needs of a model. */
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
  core.checkLive();
  const request = checkChatRequest(body, core.context);
  const { text: prompt, ids } = prompts.of(request);
  const settings = {
    ...request.options,
    ...pickSignal(options),
    prompt: ids,
    constraint: constraintOf(request, prompt, { core, prompts }),
    ...(request.tools && { shown: SHOWN_WITH_TOOLS }),
  };
  const chunks = chatChunks(prepare(core, settings, request.n), {
    model: core.name,
    tokens: core.tokenizer,
    includeUsage: request.includeUsage || !request.stream,
    splitReasoning: request.splitReasoning,
    prompt,
    calls: request.tools && callParser(request.tools, prompts.support.format!),
  });
  return request.stream ? chunks : collectChat(chunks);
}

/** @throws NibbleError `invalid_request` that names the field, `context_full`, `disposed` */
export async function completeText(
  core: Core,
  body: unknown,
  options: unknown,
): Promise<Completion | AsyncGenerator<Completion, undefined>> {
  core.checkLive();
  const { tokenizer, context } = core;
  const request = checkCompletionRequest(body, context);
  const { prompt, echo, masks, options: checked } = request;
  const ids = typeof prompt === "string" ? tokenizer.encode(prompt) : prompt;
  const constraint = masks && { masks, reasoning: undefined };
  const settings = { ...checked, ...pickSignal(options), prompt: ids, constraint };
  const chunks = completionChunks(prepare(core, settings, request.n), {
    model: core.name,
    tokens: tokenizer,
    includeUsage: request.includeUsage || !request.stream,
    echo: echo ? { ...promptText(prompt, ids, tokenizer), ids, logprobs: checked.logprobs !== undefined } : undefined,
    promptLogprobs: request.promptLogprobs,
  });
  return request.stream ? chunks : collectCompletion(chunks);
}

/**
 * The answers of a request, each to be started when its events are asked for. The first of the `n` choices reads the
 * prompt for all. The prompt is checked at once.
 */
function prepare(core: Core, settings: GenerationSettings, n: number): (() => AsyncIterable<GenerateEvent>)[] {
  checkPrompt(settings.prompt, core.context);
  return Array.from({ length: n }, (_, choice) => () => {
    core.checkLive();
    return generate(core.engine, { ...settings, choice });
  });
}

/** What holds an answer to the format or the tools of its request. */
function constraintOf(
  request: CheckedChatRequest,
  prompt: string,
  { core, prompts }: Endpoint,
): GenerationSettings["constraint"] {
  const { tools } = request;
  const { grammars } = core.context;
  const opened = opensReasoning(prompt);
  const masks = tools?.required ? callMasks(tools, prompts.support.format!, grammars) : request.masks;
  if (masks) {
    const reasons = mayReason(prompt, request, prompts.source);
    return { masks, reasoning: reasons ? { tokens: grammars.reasoning, opened } : undefined };
  }
  return tools && freeCalls(tools, prompts.support.format!, grammars, opened);
}

/**
 * Whether the answer may begin with reasoning: the prompt leaves a `<think>` open, the model's template knows the tag,
 * or the caller says so.
 */
function mayReason(
  prompt: string,
  { splitReasoning, reasoningExpected }: CheckedChatRequest,
  template: string | undefined,
): boolean {
  if (opensReasoning(prompt)) return true;
  if (!splitReasoning || prompt.trimEnd().endsWith(CLOSE_TAG)) return false;
  return reasoningExpected || (template?.includes(CLOSE_TAG) ?? false);
}

/** A prompt as text, and where its tokens begin. A prompt that came as text is given back as it was, without the BOS. */
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
