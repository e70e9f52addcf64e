/**
 * Chunks of a text completion as llama-server's /completion answers: one object per answer, whole or in pieces.
 * @module
 */
import type { Timings } from "../../../engine/generate/timings.ts";
import type { ChatTokenLogprob } from "../../../engine/openai/chat-types.ts";
import type { PromptProgress } from "../../../engine/openai/common-types.ts";
import type { Completion } from "../../../engine/openai/completion-types.ts";
import { LineGuard } from "./line-guard.ts";
import type { NativeRequest } from "./request.ts";

export interface NativeStyle {
  readonly request: NativeRequest;
  readonly model: string;
  readonly contextLength: number;
  /** The settings of the answer, as `/props` names them. */
  readonly settings: object;
}

/** One answer as far as it has come. */
interface Answer {
  content: string;
  readonly tokens: number[];
  readonly probabilities: object[];
  predicted: number;
  readonly guard: LineGuard;
  ended: boolean;
}

/** A piece of one of the answers. The last piece of an answer has its end. */
export interface Piece {
  readonly index: number;
  readonly content: string;
  readonly tokens: readonly number[];
  readonly probabilities: readonly object[];
  readonly predicted: number;
  readonly timings: Timings | undefined;
  readonly progress: PromptProgress | undefined;
  readonly end: End | undefined;
}

interface End {
  readonly type: "eos" | "limit" | "word";
  readonly word: string;
  readonly whole: Omit<Answer, "ended">;
}

/** The pieces of all answers as they come. Answers that a bound of this endpoint ends give no more pieces. */
export async function* pieces(style: NativeStyle, chunks: AsyncIterable<Completion>): AsyncGenerator<Piece, undefined> {
  const { request } = style;
  const answers = Array.from(
    { length: request.prompts.length * request.n },
    (): Answer => ({
      content: "",
      tokens: [],
      probabilities: [],
      predicted: 0,
      guard: new LineGuard(request),
      ended: false,
    }),
  );
  for await (const { choices, timings, prompt_progress: progress } of chunks) {
    for (const choice of choices) {
      const answer = answers[choice.index]!;
      if (answer.ended) continue;
      const piece = advance(answer, choice, request);
      const end = endOf(choice, answer);
      answer.ended = end !== undefined;
      if (piece.content !== "" || piece.tokens.length > 0 || end || progress)
        yield { index: choice.index, ...piece, predicted: answer.predicted, timings, progress, end };
    }
    if (answers.every(({ ended }) => ended)) return;
  }
}

function advance(
  answer: Answer,
  { text, logprobs }: Completion["choices"][number],
  { returnTokens, probs }: NativeRequest,
): Pick<Piece, "content" | "tokens" | "probabilities"> {
  const entries = logprobs?.content ?? [];
  const content = answer.guard.push(text);
  const tokens = returnTokens ? entries.map(({ id }) => id) : [];
  const probabilities = probs > 0 ? entries.map((entry) => shownProbabilities(entry, probs)) : [];
  answer.content += content;
  answer.tokens.push(...tokens);
  answer.probabilities.push(...probabilities);
  answer.predicted += entries.length;
  return { content, tokens, probabilities };
}

function endOf(choice: Completion["choices"][number], answer: Answer): End | undefined {
  const whole = answer;
  if (answer.guard.stopped) return { type: "limit", word: "", whole };
  if (choice.finish_reason === null) return undefined;
  const word = choice.stop_reason;
  if (word !== undefined) return { type: "word", word, whole };
  return { type: choice.finish_reason === "length" ? "limit" : "eos", word: "", whole };
}

/** With `post_sampling_probs`, probabilities take the place of log-probabilities. */
function shownProbabilities(
  { id, token, bytes, logprob, top_logprobs: tops, prob, top_probs: probs }: ChatTokenLogprob,
  most: number,
): object {
  const head = { id, token, bytes };
  if (prob !== undefined) return { ...head, prob, top_probs: (probs ?? []).slice(0, most) };
  return { ...head, logprob, top_logprobs: tops.slice(0, most) };
}

/** A piece of a stream. */
export function pieceObject(style: NativeStyle, piece: Piece): object {
  const { index, content, tokens, probabilities, predicted, timings, progress, end } = piece;
  if (end) return selected(style, { ...endObject(style, piece, end), content, tokens, ...shown(probabilities) });
  return {
    index,
    content,
    tokens,
    stop: false,
    id_slot: -1,
    tokens_predicted: predicted,
    tokens_evaluated: promptOf(style, index).ids.length,
    ...(timings && { timings }),
    ...(progress && { prompt_progress: progress }),
    ...shown(probabilities),
  };
}

/** A whole answer. */
export function answerObject(style: NativeStyle, piece: Piece, end: End): object {
  const { content, tokens, probabilities } = end.whole;
  return selected(style, { ...endObject(style, piece, end), content, tokens, ...shown(probabilities) });
}

function shown(probabilities: readonly object[]): object {
  return probabilities.length > 0 ? { completion_probabilities: probabilities } : {};
}

function promptOf({ request }: NativeStyle, index: number): NativeRequest["prompts"][number] {
  return request.prompts[Math.floor(index / request.n)]!;
}

function endObject(style: NativeStyle, { index, timings }: Piece, { type, word, whole }: End): object {
  const { ids, text } = promptOf(style, index);
  const predicted = timings?.predicted_n ?? whole.predicted;
  return {
    index,
    content: "",
    tokens: [],
    id_slot: -1,
    stop: true,
    model: style.model,
    tokens_predicted: predicted,
    tokens_evaluated: ids.length,
    generation_settings: style.settings,
    prompt: text,
    has_new_line: whole.content.includes("\n"),
    truncated: type === "limit" && ids.length + predicted >= style.contextLength,
    stop_type: type,
    stopping_word: word,
    tokens_cached: ids.length + predicted,
    timings: timings ?? whole.guard.timings(ids.length, predicted),
  };
}

/** `response_fields`: only these, each under its path as the request wrote it. */
function selected({ request: { responseFields } }: NativeStyle, answer: object): object {
  if (!responseFields) return answer;
  const found = responseFields.map((path) => {
    const value = path.split("/").reduce<unknown>((at, name) => {
      const isObject = typeof at === "object" && at !== null && Object.hasOwn(at, name);
      return isObject ? (at as Record<string, unknown>)[name] : undefined;
    }, answer);
    return [path, value] as const;
  });
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}
