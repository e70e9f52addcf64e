/**
 * The settings of requests that name none, as the server was started with them.
 * @module
 */
import type { Body } from "./body.ts";
import type { Call } from "./call.ts";

/** Names of one setting: a default is left out where the request has any of its names. */
const ALIASES: readonly (readonly string[])[] = [
  ["max_tokens", "max_completion_tokens", "n_predict"],
  ["repeat_penalty", "repetition_penalty"],
  [
    ...["reasoning_budget", "thinking_token_budget", "thinking_budget_tokens"],
    ...["reasoning_effort", "reasoning", "thinking", "enable_thinking"],
  ],
];

/** Fields that a default needs in the request. With a context shift, an answer without a limit would never end. */
const NEEDS: Readonly<Record<string, string>> = { context_shift: "max_tokens" };

/**
 * The body with the server's defaults for what it leaves out or sets to null, and with the adapters' scales that POST
 * /lora-adapters has set.
 */
export function withDefaults(body: Body, { exchange, served }: Pick<Call, "exchange" | "served">): Body {
  const { defaults } = exchange.server.settings;
  const has = (fields: Body, name: string): boolean =>
    namesOf(name).some((alias) => fields[alias] !== undefined && fields[alias] !== null);
  const wanted = { ...defaults, ...(served.lora && { lora: served.lora }) };
  const added = Object.fromEntries(Object.entries(wanted).filter(([name]) => !has(body, name)));
  const result = { ...withSystemPrompt(body, exchange), ...added };
  const useless = Object.keys(added).filter((name) => NEEDS[name] !== undefined && !has(result, NEEDS[name]));
  return Object.fromEntries(Object.entries(result).filter(([name]) => !useless.includes(name)));
}

/** A chat without a system or developer message gets the server's, as its first one. */
export function withSystemPrompt(body: Body, { server }: Pick<Call["exchange"], "server">): Body {
  const { systemPrompt } = server.settings;
  const { messages } = body;
  if (systemPrompt === undefined || !Array.isArray(messages) || messages.length === 0) return body;
  const isSystem = (message: Body | null): boolean => message?.role === "system" || message?.role === "developer";
  return messages.some(isSystem)
    ? body
    : { ...body, messages: [{ role: "system", content: systemPrompt }, ...messages] };
}

function namesOf(name: string): readonly string[] {
  return ALIASES.find((names) => names.includes(name)) ?? [name];
}
