/**
 * Who computes an evaluation: a model that is loaded here (`local-backend.ts`), or a server.
 * @module
 */
import type { ChatMessage } from "../chat/template.ts";
import type { LogLikelihood } from "../engine/generate/log-likelihood.ts";
import type { SamplingOptions } from "../engine/sample/options.ts";

/** A context, and what may continue it, as texts. */
export type TextPair = readonly [context: string, continuation: string];

/** A request for one answer. It says everything that decides about the answer, so it is the same whoever computes it. */
export interface AnswerRequest {
  /** The prompt as a text, after the chat template where there is one. */
  readonly prompt: string;
  /** The conversation that `prompt` was made of, for a server that applies the template itself. */
  readonly messages?: readonly ChatMessage[] | undefined;
  /** Most tokens of the answer. */
  readonly maxTokens: number;
  /** Texts that end the answer and are not part of it. */
  readonly stop: readonly string[];
  /** All settings of sampling, among them the seed of this one answer. */
  readonly sampling: SamplingOptions;
}

/** One who computes. Many calls may run at the same time; results depend on the arguments alone. */
export interface Backend {
  /** The name of the model, as reports show it. */
  readonly name: string;
  /**
   * Tells models apart: the results of two backends with the same identity are equal, so they may stand in one file. For a
   * model that is loaded here it is the fingerprint.
   */
  readonly identity: string;
  /** Tokens that were generated so far, for the rate that progress shows. */
  readonly tokens: number;
  /**
   * A conversation as the text of a prompt, with the beginning of the assistant's turn. A last message of the assistant's
   * is the beginning of the answer: the prompt ends within it.
   * @throws NibbleError `invalid_request` where there is no chat template
   */
  renderChat(messages: readonly ChatMessage[]): string;
  /**
   * Scores the continuations of one row of a task.
   * @returns one score per pair, in their order
   * @throws the signal's reason; NibbleError `context_full` for a continuation that is longer than the context
   */
  logLikelihoods(pairs: readonly TextPair[], signal?: AbortSignal): Promise<readonly LogLikelihood[]>;
  /**
   * The text of one answer.
   * @throws the signal's reason; NibbleError `context_full` if the answer may be as long as the context
   */
  generate(request: AnswerRequest, signal?: AbortSignal): Promise<string>;
}
