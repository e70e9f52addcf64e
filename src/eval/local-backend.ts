/**
 * A loaded model computes an evaluation.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ChatMessage } from "../chat/template.ts";
import type { LogLikelihood } from "../engine/generate/log-likelihood.ts";
import type { Model } from "../engine/model.ts";
import { renderOpen } from "../engine/prefill.ts";
import type { AnswerRequest, Backend, TextPair } from "./backend.ts";
import { encodePair, encodeText } from "./encoding.ts";
import { logLikelihoods } from "./log-likelihood.ts";

/** The parts of a model that are used here. */
export type EvaluatedModel = Pick<
  Model,
  "info" | "tokenize" | "logLikelihoods" | "generate" | "applyTemplate" | "fingerprint"
>;

export class LocalBackend implements Backend {
  readonly #model: EvaluatedModel;
  #tokens = 0;

  constructor(model: EvaluatedModel) {
    this.#model = model;
  }

  get name(): string {
    return this.#model.info.name;
  }

  get identity(): string {
    return this.#model.fingerprint();
  }

  get tokens(): number {
    return this.#tokens;
  }

  renderChat(messages: readonly ChatMessage[]): string {
    if (this.#model.info.chatTemplate === "none")
      throw new NibbleError("invalid_request", `--apply-chat-template: the model ${this.name} has no chat template`);
    const render = (turns: readonly ChatMessage[], addGenerationPrompt: boolean): string =>
      this.#model.applyTemplate(turns, { addGenerationPrompt });
    return messages.at(-1)?.role === "assistant" ? renderOpen(render, messages).text : render(messages, true);
  }

  async logLikelihoods(pairs: readonly TextPair[], signal?: AbortSignal): Promise<readonly LogLikelihood[]> {
    signal?.throwIfAborted();
    const encoded = pairs.map(([context, continuation]) => encodePair(this.#model, context, continuation));
    return logLikelihoods(this.#model, encoded, signal);
  }

  /** Of a prompt that leaves no room for the answer the beginning is cut off, as in lm-eval. */
  async generate({ prompt, maxTokens, stop, sampling }: AnswerRequest, signal?: AbortSignal): Promise<string> {
    const { contextLength } = this.#model.info;
    const room = contextLength - maxTokens;
    if (room <= 0)
      throw new NibbleError(
        "context_full",
        `an answer may have ${maxTokens} tokens, and the context holds ${contextLength}; ask for fewer (-n) or a longer context (-c)`,
      );
    const ids = encodeText(this.#model, prompt).slice(-room);
    let text = "";
    for await (const event of this.#model.generate({ prompt: ids, maxTokens, stop, sampling, signal })) {
      if (event.type === "token") text += event.text;
      if (event.type === "finish") this.#tokens += event.usage.completion_tokens;
    }
    return text;
  }
}
