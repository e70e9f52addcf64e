/**
 * Log-probabilities in OpenAI's two shapes, in llama-server's and in vLLM's. Every generated token is listed, the end token
 * too, so there are as many entries as `completion_tokens`.
 * @module
 */
import type { PromptEvent, TokenEvent } from "../generate/events.ts";
import type { Logprobs, TokenLogprob, TokenProb } from "../sample/logprobs.ts";
import type { ChatLogprob, ChatLogprobs, ChatTokenLogprob } from "./chat-types.ts";
import type { PromptLogprobs } from "./common-types.ts";
import type { CompletionLogprobs } from "./completion-types.ts";

/** The texts of tokens. */
export interface TokenTexts {
  token(id: number): string;
  tokenBytes(id: number): Uint8Array;
}

/** Tokens named by their ids (vLLM's `return_tokens_as_token_ids`), so that no two tokens have the same name. */
export function idTexts(tokens: TokenTexts): TokenTexts {
  return { token: (id) => `token_id:${id}`, tokenBytes: (id) => tokens.tokenBytes(id) };
}

export function chatLogprobs(event: TokenEvent, tokens: TokenTexts): ChatLogprobs | null {
  const content = tokenLogprob(event, tokens);
  return content && { content: [content], refusal: null };
}

/** One token in the shape of chat completions; `prob` and `top_probs` are llama-server's `post_sampling_probs`. */
function tokenLogprob({ logprobs, probs }: TokenEvent, tokens: TokenTexts): ChatTokenLogprob | null {
  if (!logprobs) return null;
  const look = (id: number) => ({ id, token: tokens.token(id), bytes: Array.from(tokens.tokenBytes(id)) });
  const entry = ({ id, logprob }: TokenLogprob): ChatLogprob => ({ ...look(id), logprob });
  const sampled = ({ id, prob }: TokenProb) => ({ ...look(id), prob });
  return {
    ...entry(logprobs),
    top_logprobs: withChosen(logprobs).map(entry),
    ...(probs && { prob: probs.prob, top_probs: probs.top.map(sampled) }),
  };
}

/** The alternatives, and the token itself if they are wanted and it is not one of them. */
function withChosen({ top, id, logprob }: Logprobs): readonly TokenLogprob[] {
  return top.length === 0 || top.some((one) => one.id === id) ? top : [...top, { id, logprob }];
}

export interface CompletionLogprobsOptions {
  /** UTF-16 units of the text before the answer. */
  readonly before: number;
  /** Whether `content` has the entries of chat completions, too, for llama-server's `n_probs`. */
  readonly detailed: boolean;
}

export function completionLogprobs(
  event: TokenEvent,
  tokens: TokenTexts,
  { before, detailed }: CompletionLogprobsOptions,
): CompletionLogprobs | null {
  const { logprobs, offset } = event;
  if (!logprobs) return null;
  return {
    tokens: [tokens.token(logprobs.id)],
    token_logprobs: [logprobs.logprob],
    top_logprobs: [topLogprobs(logprobs, tokens)],
    text_offset: [before + offset],
    ...(detailed && { content: [tokenLogprob(event, tokens)!] }),
  };
}

/** The tokens of an echoed prompt. */
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

/**
 * Log-probabilities by the text of the token; the token itself is always among them. `fromEntries` defines fields, so a
 * token `__proto__` is an ordinary key. Of tokens with equal texts the chosen one stays, else the likeliest.
 */
function topLogprobs({ top, id, logprob }: Logprobs, tokens: TokenTexts): Readonly<Record<string, number>> {
  const likeliestLast = [...top.toReversed(), { id, logprob }];
  return Object.fromEntries(likeliestLast.map((one) => [tokens.token(one.id), one.logprob]));
}

/** vLLM's `prompt_logprobs`. */
export function promptEntries({ logprobs }: PromptEvent, tokens: TokenTexts): PromptLogprobs {
  const entries = (one: Logprobs) =>
    [...one.top, one].map(({ id, logprob }) => [id, { logprob, decoded_token: tokens.token(id) }]);
  return [null, ...logprobs.map((one) => Object.fromEntries(entries(one)))];
}
