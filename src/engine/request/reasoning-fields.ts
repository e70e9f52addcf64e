/**
 * The fields of a request that bound how long a model reasons.
 * @module
 */
import { conflict, type Fields } from "../../base/fields.ts";
import { REASONING_FIELDS, THINKING_FIELDS } from "./field-tables.ts";
import { REASONING_EFFORTS } from "./reasoning-efforts.ts";

interface Budget {
  readonly param: string;
  /** -1: no bound. */
  readonly tokens: number | undefined;
}

/**
 * Tokens of reasoning: llama.cpp's `reasoning_budget` and its other names, OpenAI's `reasoning_effort`, a field of `reasoning`, Anthropic's
 * `thinking` or Qwen's `enable_thinking`.
 * @returns undefined for no bound
 * @throws NibbleError `invalid_request` if more than one of them is given
 */
export function checkReasoningBudget(fields: Fields): number | undefined {
  const own = fields.nested(fields.get("reasoning") ?? {}, REASONING_FIELDS, "reasoning");
  const given: Budget[] = [
    tokensOf(fields, "reasoning_budget", -1),
    tokensOf(fields, "thinking_token_budget", -1),
    tokensOf(fields, "thinking_budget_tokens", -1),
    tokensOf(own, "max_tokens", 0),
    effortOf(fields, "reasoning_effort"),
    effortOf(own, "effort"),
    switchOf(own, "enabled"),
    switchOf(fields, "enable_thinking"),
    thinkingOf(fields),
  ].filter(({ tokens }) => tokens !== undefined);
  const [first, second] = given;
  if (second && second.tokens !== first!.tokens)
    throw conflict(second.param, first!.param, "both bound the tokens of reasoning");
  return first?.tokens === -1 ? undefined : first?.tokens;
}

/** False: no reasoning. True changes nothing. */
function switchOf(fields: Fields, key: string): Budget {
  return { param: fields.param(key), tokens: fields.boolean(key) === false ? 0 : undefined };
}

function thinkingOf(request: Fields): Budget {
  const thinking = request.nested(request.get("thinking") ?? {}, THINKING_FIELDS, "thinking");
  const type = thinking.oneOf("type", ["enabled", "adaptive", "auto", "disabled"]);
  const tokens = thinking.number("budget_tokens", { min: 0, integer: true });
  return { param: "thinking", tokens: type === "disabled" ? 0 : tokens };
}

function tokensOf(fields: Fields, key: string, min: number): Budget {
  return { param: fields.param(key), tokens: fields.number(key, { min, integer: true }) };
}

function effortOf(fields: Fields, key: string): Budget {
  const effort = fields.oneOf(key, [...REASONING_EFFORTS.keys()]);
  return {
    param: fields.param(key),
    tokens: effort === undefined ? undefined : (REASONING_EFFORTS.get(effort) ?? -1),
  };
}
