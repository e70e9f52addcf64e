/**
 * The log-likelihood of a continuation given its context, by lm-eval's rules.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Model } from "../engine/model.ts";
import { logprobs } from "../engine/sample/logprobs.ts";
import type { Session } from "../engine/session/session.ts";
import { encodeText } from "./encoding.ts";

/** The parts of a model that are used here. */
export type Scorer = Pick<Model, "tokenize" | "session" | "info">;

export interface LogLikelihood {
  /** The sum of the natural logarithms of the probabilities of the continuation's tokens. */
  readonly logprob: number;
  /** Whether each token of the continuation is the most likely one. */
  readonly greedy: boolean;
}

/** A context and a continuation as token ids. Both have at least one. */
export interface EncodedPair {
  readonly context: readonly number[];
  readonly continuation: readonly number[];
}

/** White space for Python and not for JavaScript: the separators of files, groups, records and units, and NEL. */
const PYTHON_SPACE = "\x1c\x1d\x1e\x1f\x85";
/** The byte order mark is white space for JavaScript, and not for Python. */
const BYTE_ORDER_MARK = "\ufeff";

/**
 * Encodes both as one text, and splits it where the context alone would end. White space at the end of the context goes to
 * the continuation first. BOS stands before the text where the model's tokenizer adds it and the text does not begin with
 * it; BOS, or else the end token, stands for an empty context.
 */
export function encodePair(model: Scorer, context: string, continuation: string): EncodedPair {
  const before = withoutTrailingSpace(context);
  const rest = context.slice(before.length) + continuation;
  if (before === "") {
    const [first = model.info.endIds[0]!] = model.tokenize("");
    return { context: [first], continuation: model.tokenize(rest, { addBos: false }) };
  }
  const whole = encodeText(model, before + rest);
  const split = encodeText(model, before).length;
  return { context: whole.slice(0, split), continuation: whole.slice(split) };
}

/** Python's `rstrip`. */
function withoutTrailingSpace(text: string): string {
  const isSpace = (char: string): boolean =>
    PYTHON_SPACE.includes(char) || (char.trim() === "" && char !== BYTE_ORDER_MARK);
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/**
 * Scores several continuations. What consecutive pairs have in common at their beginning is read once. Of a pair that is
 * longer than the context the beginning is cut off, as in lm-eval.
 * @returns one score per pair
 */
export function logLikelihoods(model: Scorer, pairs: readonly EncodedPair[]): LogLikelihood[] {
  const session = model.session();
  const held: number[] = [];
  try {
    return pairs.map((pair) => scorePair(model, session, held, pair));
  } finally {
    session.dispose();
  }
}

/** @param held the tokens that the session holds, which this function keeps up to date */
function scorePair(
  model: Scorer,
  session: Session,
  held: number[],
  { context, continuation }: EncodedPair,
): LogLikelihood {
  const { contextLength, vocabSize } = model.info;
  if (continuation.length > contextLength)
    throw new NibbleError(
      "context_full",
      `a continuation has ${continuation.length} tokens; the context holds ${contextLength}`,
    );
  const tokens = [...context, ...continuation].slice(-(contextLength + 1), -1);
  // The row of the token before the continuation predicts its first token.
  const first = tokens.length - continuation.length;
  let common = 0;
  while (common < first && held[common] === tokens[common]) common++;
  session.truncate(common);
  if (common < first) session.forward(tokens.slice(common, first), { logits: "none" });
  const logits = session.forward(tokens.slice(first), { logits: "all" });
  held.splice(0, held.length, ...tokens);
  const scores = continuation.map((id, i) => logprobs(logits.subarray(i * vocabSize, (i + 1) * vocabSize), id, 1));
  return {
    logprob: scores.reduce((sum, { logprob }) => sum + logprob, 0),
    greedy: scores.every(({ id, top }) => top[0]!.id === id),
  };
}
