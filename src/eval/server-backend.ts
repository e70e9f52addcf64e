/**
 * Servers compute an evaluation.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { unsupported } from "../base/fields.ts";
import type { ServerPool } from "../batch/pool.ts";
import { isObject } from "../batch/request.ts";
import { type ChatMessage, type ChatTemplate, compileTemplate } from "../chat/template.ts";
import type { LogLikelihood } from "../engine/generate/log-likelihood.ts";
import { requestName } from "../engine/request/sampling-fields.ts";
import { SAMPLING_DEFAULTS } from "../engine/sample/defaults.ts";
import { type NumericSetting, SAMPLING_RANGES, type SamplingOptions } from "../engine/sample/options.ts";
import type { AnswerRequest, Backend, TextPair } from "./backend.ts";
import type { EncodedPair } from "./encoding.ts";
import { readFacts, type ServerFacts } from "./server-facts.ts";
import { ServerTokenizer } from "./server-tokenizer.ts";

type Body = Readonly<Record<string, unknown>>;

export class ServerBackend implements Backend {
  readonly #pool: ServerPool;
  readonly #facts: ServerFacts;
  readonly #tokenizer: ServerTokenizer;
  readonly #template: ChatTemplate | undefined;
  #fingerprint: unknown;
  #tokens = 0;

  private constructor(pool: ServerPool, facts: ServerFacts) {
    this.#pool = pool;
    this.#facts = facts;
    this.#tokenizer = new ServerTokenizer(pool, facts.name, facts.endIds);
    this.#template = facts.template === undefined ? undefined : compileTemplate(facts.template);
  }

  /** @throws NibbleError `io_error` where no server answers, `bad_gateway` where none names its model */
  static async open(pool: ServerPool): Promise<ServerBackend> {
    return new ServerBackend(pool, await readFacts(pool));
  }

  get name(): string {
    return this.#facts.name;
  }

  /** Tokens that end an answer, where the server tells them. */
  get endIds(): readonly number[] {
    return this.#facts.endIds;
  }

  /** A server need not say which weights it has, so the name stands for them. */
  get identity(): string {
    return this.name;
  }

  get tokens(): number {
    return this.#tokens;
  }

  renderChat(messages: readonly ChatMessage[]): string {
    if (!this.#template)
      throw new NibbleError(
        "invalid_request",
        "--apply-chat-template: the servers do not tell their chat template (/props), as nibble serve and llama-server do",
      );
    const { bosToken, eosToken } = this.#facts;
    return this.#template.render({ messages, bosToken, eosToken });
  }

  /**
   * By completions that echo their prompt. Of a pair that is longer than the context the beginning is cut off; a loaded model
   * takes one token more, since it need not read the last one.
   */
  async logLikelihoods(pairs: readonly TextPair[], signal?: AbortSignal): Promise<readonly LogLikelihood[]> {
    return Promise.all(
      pairs.map(async ([context, continuation]) => {
        return this.#score(await this.#tokenizer.encodePair(context, continuation, signal), signal);
      }),
    );
  }

  async #score({ context, continuation }: EncodedPair, signal?: AbortSignal): Promise<LogLikelihood> {
    // Other servers than nibble generate at least one token.
    const room = (this.#facts.contextLength ?? Infinity) - (this.#facts.isNative ? 0 : 1);
    if (continuation.length >= room)
      throw new NibbleError(
        "context_full",
        `a continuation has ${continuation.length} tokens; the context holds ${room}`,
      );
    const prompt = [...context, ...continuation].slice(-room);
    const settings = { temperature: 0, echo: true, logprobs: 1, max_tokens: this.#facts.isNative ? 0 : 1 };
    const { choice, server } = await this.#complete({ prompt, ...settings }, signal);
    const { token_logprobs: all, top_logprobs: tops } = isObject(choice.logprobs) ? choice.logprobs : {};
    const first = prompt.length - continuation.length;
    const scores = Array.isArray(all) ? all.slice(first, prompt.length) : [];
    if (scores.length < continuation.length || !scores.every((one) => typeof one === "number") || !Array.isArray(tops))
      throw new NibbleError(
        "not_supported",
        `${server}: this server does not echo the log-probabilities of a prompt (llama-server does not), which multiple choice needs; take nibble serve or vLLM, or tasks whose answers are generated`,
      );
    const greedy = scores.every(
      (score, i) => score >= Math.max(...Object.values(tops[first + i] as Record<string, number>)),
    );
    return { logprob: scores.reduce((sum, score) => sum + score, 0), greedy };
  }

  /** Of a prompt that leaves no room for the answer the beginning is cut off, as in lm-eval. */
  async generate({ prompt, maxTokens, stop, sampling }: AnswerRequest, signal?: AbortSignal): Promise<string> {
    const room = (this.#facts.contextLength ?? Infinity) - maxTokens;
    if (room <= 0)
      throw new NibbleError(
        "context_full",
        `an answer may have ${maxTokens} tokens, and the context holds ${this.#facts.contextLength}; ask for fewer (-n)`,
      );
    const ids = (await this.#tokenizer.encodeText(prompt, signal)).slice(-room);
    const settings = samplingFields(sampling, this.#facts.isNative);
    const body = { prompt: ids, max_tokens: maxTokens, ...(stop.length > 0 && { stop }), ...settings };
    const { choice } = await this.#complete(body, signal);
    return String(choice.text ?? "");
  }

  /** @throws NibbleError `bad_gateway` for a request that the servers refuse, or servers with different models */
  async #complete(body: Body, signal?: AbortSignal): Promise<{ readonly choice: Body; readonly server: string }> {
    const sent = { model: this.#facts.name, ...body };
    const outcome = await this.#pool.ask({ path: "/v1/completions", body: sent }, signal);
    if ("error" in outcome) throw new NibbleError("bad_gateway", outcome.error.message);
    const { status, body: answer, server } = outcome;
    const choice = isObject(answer) && Array.isArray(answer.choices) ? answer.choices[0] : undefined;
    if (status !== 200 || !isObject(answer) || !isObject(choice))
      throw new NibbleError("bad_gateway", `${server}: status ${status}: ${JSON.stringify(answer)?.slice(0, 300)}`);
    this.#check(answer.system_fingerprint, server);
    if (isObject(answer.usage)) this.#tokens += Number(answer.usage.completion_tokens ?? 0);
    return { choice, server };
  }

  #check(fingerprint: unknown, server: string): void {
    this.#fingerprint ??= fingerprint;
    if (fingerprint === undefined || fingerprint === null || fingerprint === this.#fingerprint) return;
    throw new NibbleError(
      "bad_gateway",
      `${server}: it has another model or version than the others (system_fingerprint ${fingerprint} in place of ${this.#fingerprint}), so results would depend on who computes them`,
    );
  }
}

/** The settings that other servers know by OpenAI's and vLLM's names. */
const COMMON: Readonly<Record<string, string>> = {
  topK: "top_k",
  minP: "min_p",
  repeatPenalty: "repetition_penalty",
  presencePenalty: "presence_penalty",
  frequencyPenalty: "frequency_penalty",
};
const NEUTRAL: Readonly<Record<string, unknown>> = { ...SAMPLING_DEFAULTS, topK: 0, minP: 0 };

/**
 * All settings for a server that knows llama.cpp's, so that none of its own counts.
 * @throws NibbleError `invalid_request` for a setting that another server does not know
 */
function samplingFields(sampling: SamplingOptions, isNative: boolean): Body {
  const { seed, temperature, topP, logitBias, allowedTokens, badWords } = sampling;
  const numbers = Object.keys(SAMPLING_RANGES) as NumericSetting[];
  const bias = logitBias.size > 0 && {
    logit_bias: Object.fromEntries(
      [...logitBias].map(([id, x]) => [id, x === -Infinity ? (isNative ? false : -100) : x]),
    ),
  };
  const fields = {
    seed,
    temperature,
    top_p: topP,
    ...bias,
    ...(allowedTokens && { allowed_token_ids: [...allowedTokens] }),
  };
  if (isNative) {
    // Where DRY is off its other settings change nothing, and llama-server of 2026-10 refuses our default of one of them.
    const isOn = (name: string): boolean =>
      name === "dryMultiplier" || sampling.dryMultiplier > 0 || !/^dry/.test(name);
    return {
      ...Object.fromEntries(numbers.filter(isOn).map((name) => [requestName(name), sampling[name]])),
      samplers: sampling.samplers,
      ...(sampling.dryMultiplier > 0 && { dry_sequence_breakers: sampling.drySequenceBreakers }),
      bad_words: badWords,
      ...fields,
    };
  }
  const others = numbers.filter((name) => !["temperature", "topP"].includes(name) && sampling[name] !== NEUTRAL[name]);
  const unknown = others.find((name) => COMMON[name] === undefined);
  if (unknown !== undefined)
    throw unsupported(requestName(unknown), "this setting", "these servers do not know it; leave it out");
  return {
    ...fields,
    ...Object.fromEntries(others.map((name) => [COMMON[name], sampling[name]])),
    ...(badWords.length > 0 && { bad_words: badWords }),
  };
}
