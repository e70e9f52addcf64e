/**
 * The settings of requests that name none, by the flags.
 * @module
 */
import { requestName } from "../../engine/request/sampling-fields.ts";
import { type NumericSetting, SAMPLING_RANGES } from "../../engine/sample/options.ts";
import { UsageError } from "../flags.ts";
import type { ServeFlags } from "./flags.ts";

/** Fields of a chat completion or text completion. */
export function requestDefaults(given: ServeFlags): Record<string, unknown> {
  const numbers = (Object.keys(SAMPLING_RANGES) as NumericSetting[]).map((name) => [requestName(name), given[name]]);
  const breakers = given.dryBreakers?.filter((text) => text !== "none");
  const all = {
    ...Object.fromEntries(numbers),
    samplers: given.samplers,
    dry_sequence_breakers: breakers,
    bad_words: given.badWords,
    allowed_token_ids: given.allowedTokens,
    logit_bias:
      given.logitBias &&
      Object.fromEntries(given.logitBias.map(([id, bias]) => [id, bias === -Infinity ? false : bias])),
    ignore_eos: given.ignoreEos,
    seed: unless(given.seed, -1),
    max_tokens: unless(given.predict, -1),
    n_keep: given.keep,
    "speculative.n_max": given.draftMax,
    "speculative.n_min": given.draftMin,
    "speculative.p_min": given.draftPMin,
    context_shift: given.contextShift,
    reasoning_format: given.reasoningFormat,
    reasoning_budget: given.reasoning === "off" ? 0 : unless(given.reasoningBudget, -1),
    chat_template_kwargs: templateVariables(given),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** llama.cpp's -1 stands for the default. */
function unless(value: number | undefined, none: number): number | undefined {
  return value === none ? undefined : value;
}

/** Templates of models that can leave reasoning out read `enable_thinking`, which llama-server sets by --reasoning too. */
function templateVariables({ reasoning = "auto", templateVariables: json }: ServeFlags): object | undefined {
  const thinking = reasoning === "auto" ? {} : { enable_thinking: reasoning === "on" };
  const variables = { ...thinking, ...(json !== undefined && readVariables(json)) };
  return Object.keys(variables).length > 0 ? variables : undefined;
}

function readVariables(json: string): object {
  const name = "--chat-template-kwargs";
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // The error below is thrown.
  }
  throw new UsageError(`${name}: expected a JSON object, got ${JSON.stringify(json.slice(0, 100))}`, name);
}
