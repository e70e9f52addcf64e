/**
 * Log-probabilities in OpenAI's two shapes, and in vLLM's.
 * @module
 */
import type { PromptEvent, TokenEvent } from "../generate/events.ts";
import type { Logprobs, TokenLogprob } from "../sample/logprobs.ts";
import type { ChatLogprob, ChatLogprobs } from "./chat-types.ts";
import type { PromptLogprobs } from "./common-types.ts";
import type { CompletionLogprobs } from "./completion-types.ts";

/** How tokens look. */
export interface TokenTexts {
  token(id: number): string;
  tokenBytes(id: number): Uint8Array;
}

/** The end token is no part of the content. */
export function chatLogprobs({ logprobs, end }: TokenEvent, tokens: TokenTexts): ChatLogprobs | null {
  if (!logprobs || end) return null;
  const entry = ({ id, logprob }: TokenLogprob): ChatLogprob => ({
    id,
    token: tokens.token(id),
    logprob,
    bytes: Array.from(tokens.tokenBytes(id)),
  });
  return { content: [{ ...entry(logprobs), top_logprobs: logprobs.top.map(entry) }], refusal: null };
}

/** @param before UTF-16 units of the text before the answer */
export function completionLogprobs(
  { logprobs, end, offset }: TokenEvent,
  tokens: TokenTexts,
  before = 0,
): CompletionLogprobs | null {
  if (!logprobs || end) return null;
  return {
    tokens: [tokens.token(logprobs.id)],
    token_logprobs: [logprobs.logprob],
    top_logprobs: [topLogprobs(logprobs, tokens)],
    text_offset: [before + offset],
  };
}

/** An echoed prompt's tokens. */
interface EchoedTokens {
  readonly ids: readonly number[];
  /** UTF-16 units of text before each token. */
  readonly offsets: readonly number[];
}

/** The prompt's tokens; the first has no log-probability. */
export function echoLogprobs(
  { logprobs }: PromptEvent,
  { ids, offsets }: EchoedTokens,
  tokens: TokenTexts,
): CompletionLogprobs {
  return {
    tokens: ids.map((id) => tokens.token(id)),
    token_logprobs: [null, ...logprobs.map(({ logprob }) => logprob)],
    top_logprobs: [null, ...logprobs.map((one) => topLogprobs(one, tokens))],
    text_offset: offsets,
  };
}

/** `fromEntries` defines fields, so a token `__proto__` is an ordinary key. Of equal texts the likelier one stays. */
function topLogprobs({ top }: Logprobs, tokens: TokenTexts): Readonly<Record<string, number>> {
  return Object.fromEntries(top.toReversed().map(({ id, logprob }) => [tokens.token(id), logprob]));
}

/** vLLM's `prompt_logprobs`. */
export function promptEntries({ logprobs }: PromptEvent, tokens: TokenTexts): PromptLogprobs {
  const entries = (one: Logprobs) =>
    [...one.top, one].map(({ id, logprob }) => [id, { logprob, decoded_token: tokens.token(id) }]);
  return [null, ...logprobs.map((one) => Object.fromEntries(entries(one)))];
}
