/**
 * From an untrusted OpenAI-shaped body to checked options. Limits: reliability.md F1.
 * @module
 */

import { checkNumber, checkSignal, conflict, Fields, invalid } from "../../base/fields.ts";
import type { ChatMessage } from "../../chat/template.ts";
import type { TokenMasks } from "../../grammar/token-masks.ts";
import type { Grammars } from "../constrain/grammars.ts";
import type { GenerationSettings } from "../generate.ts";
import { checkLora, type LoraInfo } from "../lora.ts";
import { SAMPLING_DEFAULTS, type SamplingDefaults } from "../sample/defaults.ts";
import { SAMPLING_RANGES } from "../sample/options.ts";
import { randomSeed } from "../sample/random.ts";
import { checkSampling, checkStops } from "./generate.ts";
import { REASONING_EFFORTS } from "./reasoning-effort.ts";
import { checkStructure, STRUCTURE_FIELDS } from "./structured.ts";
import { checkCalls, checkTools, type ToolRequest } from "./tools.ts";

/** What a request is checked against. */
export interface RequestContext {
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly endIds: ReadonlySet<number>;
  readonly defaults: SamplingDefaults;
  readonly grammars: Grammars;
  readonly adapters: readonly LoraInfo[];
}

interface CommonRequest {
  /** Whether vLLM's `prompt_logprobs` are asked for. */
  readonly promptLogprobs: boolean;
  /** What the answer has to look like. */
  readonly masks: TokenMasks | undefined;
  readonly options: Omit<GenerationSettings, "prompt">;
  /** Answers to the one prompt. */
  readonly n: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

export interface CheckedChatRequest extends CommonRequest {
  readonly messages: readonly ChatMessage[];
  readonly templateVariables: ReadonlyMap<string, unknown>;
  readonly splitReasoning: boolean;
  /** The caller says that the model reasons, whether its template knows of it or not. */
  readonly reasoningExpected: boolean;
  readonly tools: ToolRequest | undefined;
}

export interface CheckedCompletionRequest extends CommonRequest {
  readonly prompt: string | readonly number[];
  readonly echo: boolean;
}

// biome-ignore format: a list
const COMMON = [
  "model", ...Object.keys(SAMPLING_DEFAULTS).map(requestName), "logit_bias", "allowed_token_ids", "banned_token_ids",
  "repetition_penalty", "seed", "n", "stop", "stop_token_ids", "ignore_eos", "max_tokens",
  "speculative.n_max", "prompt_logprobs", "context_shift", "n_keep", "reasoning_budget", "stream", "stream_options", "user", "logprobs", "signal", "lora", ...STRUCTURE_FIELDS,
];
// biome-ignore format: a list
const CHAT = [
  "messages", ...COMMON, "max_completion_tokens", "top_logprobs", "reasoning_format", "reasoning", "reasoning_effort", "chat_template_kwargs", "tools",
  "tool_choice", "parallel_tool_calls",
];
const MESSAGE = ["role", "content", "name", "reasoning_content", "tool_calls", "tool_call_id"];

/** OpenAI's. */
const ROLES = ["system", "developer", "user", "assistant", "tool"] as const;

export const MAX_MESSAGES = 1024;
const MAX_CHOICES = 8;
const MAX_BIASES = 1024;
const MAX_TOP_LOGPROBS = 20;

/** @throws NibbleError `invalid_request` with `param` */
export function checkChatRequest(body: unknown, context: RequestContext): CheckedChatRequest {
  const fields = new Fields(body, CHAT);
  const wanted = fields.boolean("logprobs") ?? false;
  const top = fields.number("top_logprobs", { min: 0, max: MAX_TOP_LOGPROBS, integer: true });
  if (top !== undefined && !wanted) throw invalid("top_logprobs", "logprobs: true with it", top);
  const maxTokens = fields.number("max_completion_tokens", { min: 1, integer: true });
  const common = checkCommon(fields, context, { logprobs: wanted ? (top ?? 0) : undefined, maxTokens });
  const tools = checkTools(fields);
  if (tools && common.masks) {
    const param = "tools";
    throw conflict(param, "a format of the answer", "each of them decides the form of the answer");
  }
  // Who asks for JSON or calls wants nothing else in the content.
  const usual = common.masks || tools ? "auto" : "none";
  const format = fields.oneOf("reasoning_format", ["none", "deepseek", "auto"]) ?? usual;
  return {
    ...common,
    messages: checkMessages(fields.array("messages", MAX_MESSAGES)),
    templateVariables: checkVariables(fields.get("chat_template_kwargs")),
    splitReasoning: format !== "none",
    reasoningExpected: format === "deepseek",
    tools,
  };
}

/** @throws NibbleError `invalid_request` with `param` */
export function checkCompletionRequest(body: unknown, context: RequestContext): CheckedCompletionRequest {
  const fields = new Fields(body, ["prompt", "echo", ...COMMON]);
  const logprobs = fields.number("logprobs", { min: 0, max: MAX_TOP_LOGPROBS, integer: true });
  const echo = fields.boolean("echo") ?? false;
  const common = checkCommon(fields, context, { logprobs, echo });
  const prompt = fields.get("prompt");
  if (typeof prompt === "string") return { ...common, prompt, echo };
  if (!Array.isArray(prompt)) throw invalid("prompt", "a string or an array of token ids", prompt);
  if (prompt.length > context.contextLength) {
    throw invalid("prompt", `at most ${context.contextLength} token ids`, prompt);
  }
  return { ...common, prompt: prompt.map((id) => checkId("prompt", id, context)), echo };
}

/** What the two kinds of requests have under names of their own. */
interface Particular {
  readonly logprobs: number | undefined;
  /** `max_completion_tokens`. */
  readonly maxTokens?: number | undefined;
  readonly echo?: boolean;
}

function checkCommon(fields: Fields, context: RequestContext, particular: Particular): CommonRequest {
  const { defaults, endIds } = context;
  const { logprobs, echo } = particular;
  fields.string("model", 1024);
  fields.string("user", 1024);
  const ignoreEnd = fields.boolean("ignore_eos") ?? false;
  const logitBias = checkBias(fields.get("logit_bias"), context);
  const banned = checkIdList(fields, "banned_token_ids", MAX_BIASES, context) ?? [];
  for (const id of [...banned, ...(ignoreEnd ? endIds : [])]) logitBias.set(id, -Infinity);
  const stopIds = checkIdList(fields, "stop_token_ids", MAX_BIASES, context) ?? [];
  const allowedIds = checkIdList(fields, "allowed_token_ids", context.vocabSize, context);
  const streamOptions = fields.get("stream_options");
  const stream = fields.boolean("stream") ?? false;
  if (streamOptions !== undefined && !stream) throw invalid("stream_options", "stream: true with it", streamOptions);
  const n = fields.number("n", { min: 1, max: MAX_CHOICES, integer: true }) ?? 1;
  const wanted = fields.number("prompt_logprobs", { min: 0, max: MAX_TOP_LOGPROBS, integer: true });
  const promptLogprobs = wanted ?? (echo ? logprobs : undefined);
  if (promptLogprobs !== undefined && n > 1) throw invalid("n", "1 with log-probabilities of the prompt", n);
  const least = echo || wanted !== undefined ? 0 : 1;
  const maxTokens = particular.maxTokens ?? fields.number("max_tokens", { min: least, integer: true });
  const contextShift = fields.boolean("context_shift");
  if (contextShift && maxTokens === undefined) throw invalid("max_tokens", "it with context_shift", undefined);
  return {
    promptLogprobs: wanted !== undefined,
    masks: checkStructure(fields, context.grammars),
    n,
    stream,
    includeUsage:
      streamOptions !== undefined &&
      (new Fields(streamOptions, ["include_usage"], "stream_options").boolean("include_usage") ?? false),
    options: {
      maxTokens,
      promptLogprobs,
      contextShift,
      keep: fields.number("n_keep", { min: 0, integer: true }),
      reasoningBudget: checkBudget(fields),
      stop: checkStops(fields),
      endIds: new Set([...(ignoreEnd ? [] : endIds), ...stopIds]),
      logprobs,
      draftMax: fields.number("speculative.n_max", { min: 0, integer: true }),
      adapters: checkLora(fields, context.adapters),
      signal: checkSignal(fields),
      sampling: {
        ...checkSampling(fields, defaults, requestName),
        ...checkRepetition(fields),
        allowedTokens: allowedIds && new Set(allowedIds),
        logitBias,
        seed: fields.number("seed", { integer: true }) ?? randomSeed(),
      },
    },
  };
}

/** vLLM's name of `repeat_penalty`, over all of the text. */
function checkRepetition(fields: Fields): { repeatPenalty: number; repeatLastN: number } | undefined {
  const penalty = fields.number("repetition_penalty", SAMPLING_RANGES.repeatPenalty);
  const other = fields.get("repeat_penalty");
  if (penalty !== undefined && other !== undefined)
    throw fields.invalid("repetition_penalty", "it or repeat_penalty", penalty);
  return penalty === undefined ? undefined : { repeatPenalty: penalty, repeatLastN: -1 };
}

/** llama.cpp's name, OpenAI's, or a field of `reasoning`: one of them. */
function checkBudget(fields: Fields): number | undefined {
  const own = fields.nested(fields.get("reasoning") ?? {}, ["max_tokens", "effort"], "reasoning");
  const given = [
    { at: fields, key: "reasoning_budget", tokens: fields.number("reasoning_budget", { min: -1, integer: true }) },
    { at: own, key: "max_tokens", tokens: own.number("max_tokens", { min: 0, integer: true }) },
    ...[
      { at: fields, key: "reasoning_effort" },
      { at: own, key: "effort" },
    ].map(({ at, key }) => {
      const effort = at.oneOf(key, [...REASONING_EFFORTS.keys()]);
      return { at, key, tokens: effort === undefined ? undefined : (REASONING_EFFORTS.get(effort) ?? -1) };
    }),
  ].filter(({ tokens }) => tokens !== undefined);
  const [first, second] = given;
  if (second) throw second.at.invalid(second.key, `it or ${first!.at.param(first!.key)}`, second.at.get(second.key));
  return first?.tokens === -1 ? undefined : first?.tokens;
}

/** @throws NibbleError `invalid_request` with `param` */
export function checkMessages(messages: readonly unknown[] | undefined): ChatMessage[] {
  if (messages === undefined || messages.length === 0) {
    throw invalid("messages", `1 to ${MAX_MESSAGES} messages`, messages);
  }
  return messages.map((message, i) => {
    const name = `messages[${i}]`;
    const fields = new Fields(message, MESSAGE, name);
    const role = fields.oneOf("role", ROLES);
    if (role === undefined) throw fields.invalid("role", `one of ${ROLES.join(", ")}`, role);
    const checked: Record<string, unknown> = { role };
    for (const key of ["name", "reasoning_content", "tool_call_id"]) {
      const value = fields.string(key, Infinity);
      if (value !== undefined) checked[key] = value;
    }
    const calls = fields.array("tool_calls", 128);
    if (calls !== undefined && calls.length > 0) checked.tool_calls = checkCalls(calls, fields.param("tool_calls"));
    checked.content = checkContent(fields, role === "assistant");
    return checked as unknown as ChatMessage;
  });
}

function checkContent(fields: Fields, optional: boolean): string {
  const content = fields.get("content");
  const param = fields.param("content");
  if (typeof content === "string") return content;
  if (content === undefined && optional) return "";
  if (!Array.isArray(content)) throw invalid(param, "a string or an array of text parts", content);
  return content
    .map((part, i) => {
      const partFields = new Fields(part, ["type", "text"], `${param}[${i}]`);
      if (partFields.oneOf("type", ["text"]) === undefined)
        throw invalid(partFields.param("type"), '"text"', undefined);
      const text = partFields.string("text", Infinity);
      if (text === undefined) throw invalid(partFields.param("text"), "a string", text);
      return text;
    })
    .join("");
}

/** Variables of a chat template. @throws NibbleError `invalid_request` with `param` */
export function checkVariables(value: unknown): ReadonlyMap<string, unknown> {
  if (value === undefined) return new Map();
  const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (names.length > 16) throw invalid("chat_template_kwargs", "at most 16 variables", value);
  const fields = new Fields(value, names, "chat_template_kwargs");
  return new Map(
    names.map((name) => {
      const variable = fields.get(name);
      if (["string", "number", "boolean", "undefined"].includes(typeof variable)) return [name, variable ?? null];
      throw invalid(fields.param(name), "a string, number or boolean", variable);
    }),
  );
}

/** `topK` is `top_k` in a request. */
function requestName(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function checkBias(value: unknown, context: RequestContext): Map<number, number> {
  if (value === undefined) return new Map();
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("logit_bias", "an object from token ids to numbers", value);
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_BIASES) throw invalid("logit_bias", `at most ${MAX_BIASES} tokens`, value);
  return new Map(
    entries.map(([key, bias]) => {
      const id = checkId("logit_bias", /^\d{1,9}$/.test(key) ? Number(key) : key, context);
      return [id, checkNumber("logit_bias", bias, { min: -100, max: 100 })];
    }),
  );
}

function checkIdList(
  fields: Fields,
  key: string,
  most: number,
  context: RequestContext,
): readonly number[] | undefined {
  return fields.array(key, most)?.map((id) => checkId(key, id, context));
}

function checkId(param: string, value: unknown, { vocabSize }: RequestContext): number {
  return checkNumber(param, value, { min: 0, max: vocabSize - 1, integer: true });
}
