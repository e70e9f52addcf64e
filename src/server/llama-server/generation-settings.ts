/**
 * Settings of generation under llama-server's names: those of a request in /completion, the server's own in /props.
 * @module
 */
import type { Model } from "../../engine/model.ts";
import { requestName } from "../../engine/request/sampling-fields.ts";
import type { Call } from "../call.ts";
import { withDefaults } from "../defaults.ts";

/** The settings of a body: its own fields, else the server's, else the model's. */
export function generationSettings(
  info: Model["info"],
  call: Pick<Call, "served" | "exchange">,
  body: Readonly<Record<string, unknown>> = {},
): object {
  const given = withDefaults(body, call);
  const settings = { ...modelSettings(info), ...REQUEST };
  const named = Object.keys(settings).filter((name) => given[name] !== undefined && given[name] !== null);
  const max = given.max_tokens ?? given.n_predict ?? -1;
  // llama-server shows ignore_eos as biases of -Infinity, which JSON writes as null, on every token that ends an answer.
  const bans = given.ignore_eos === true ? info.endIds.map((token) => ({ token, bias: null })) : [];
  return {
    ...settings,
    ...(bans.length > 0 && { logit_bias: bans }),
    ...Object.fromEntries(named.map((name) => [name, given[name]])),
    n_predict: max,
    max_tokens: max,
    n_ctx: info.contextLength,
  };
}

function modelSettings({ sampling }: Model["info"]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(sampling).map(([name, value]) => [requestName(name), value]));
}

/** Defaults of the settings that are not the sampler's. */
const REQUEST: Readonly<Record<string, unknown>> = {
  seed: -1,
  stop: [],
  n_keep: 0,
  n_discard: 0,
  ignore_eos: false,
  stream: true,
  n_probs: 0,
  grammar: "",
  logit_bias: [],
  reasoning_format: "auto",
  timings_per_token: false,
  post_sampling_probs: false,
  lora: [],
  // llama.cpp's sampling step adaptive-p is not here: a target below 0 says that it is off, which is its default.
  adaptive_target: -1,
  adaptive_decay: 0.9,
};
