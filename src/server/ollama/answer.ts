/**
 * A chat's blocks as Ollama's answers, whole or line by line. /api/chat and /api/generate differ only in where the text
 * stands.
 * @module
 */
import type { ChatCompletionChunk, ChatTokenLogprob } from "../../engine/openai/chat-types.ts";
import type { Prepared } from "../answer.ts";
import { type Block, type BlockEvent, blocksOf, type Finish } from "../blocks.ts";
import type { Call } from "../call.ts";
import { errorBody } from "../errors.ts";
import { jsonLine } from "../streams.ts";

/** The contents of a line, before it takes the form of its endpoint. */
export interface Piece {
  readonly content?: string;
  readonly thinking?: string;
  readonly calls?: readonly object[];
  readonly logprobs?: readonly object[];
}

export interface AnswerStyle {
  /** The fields that carry a piece: `message` in /api/chat, `response` in /api/generate. */
  show(piece: Piece): object;
  readonly model: string;
  /** When the request came, on the clock of `performance.now()`. */
  readonly start: number;
  readonly loadMs: number;
}

export function answerStyle({ model, lease }: Call, show: AnswerStyle["show"]): AnswerStyle {
  return { show, model: model.info.name, start: performance.now() - lease.loadMs, loadMs: lease.loadMs };
}

/** The beginning of every line. */
export function lineHead(model: string): { model: string; created_at: string } {
  return { model, created_at: new Date().toISOString() };
}

/** What the server sends: one object, or lines while the engine's chunks come. */
export function prepareAnswer(
  style: AnswerStyle,
  stream: boolean,
  chunks: Prepared<ChatCompletionChunk>["chunks"],
): Prepared<ChatCompletionChunk> {
  return {
    stream,
    format: "lines",
    chunks,
    collect: (from) => collectAnswer(style, blocksOf(from)),
    events: (from) => answerLines(style, blocksOf(from)),
    failure: (error) => jsonLine(errorBody(error, "ollama")),
  };
}

async function* answerLines(style: AnswerStyle, blocks: AsyncIterable<BlockEvent>): AsyncGenerator<string, undefined> {
  for await (const part of blocks) {
    if (part.type === "finish") {
      yield jsonLine({ ...lineHead(style.model), ...style.show({ content: "" }), ...ending(style, part) });
      continue;
    }
    const piece = pieceOf(part);
    if (piece) yield jsonLine({ ...lineHead(style.model), ...style.show(piece), done: false });
  }
}

async function collectAnswer(style: AnswerStyle, blocks: AsyncIterable<BlockEvent>): Promise<object> {
  const pieces: Piece[] = [];
  for await (const part of blocks) {
    const piece = part.type === "finish" ? undefined : pieceOf(part);
    if (piece) pieces.push(piece);
    if (part.type === "finish")
      return { ...lineHead(style.model), ...style.show(join(pieces)), ...ending(style, part) };
  }
  throw new Error("the engine's chunks ended without usage");
}

function join(pieces: readonly Piece[]): Piece {
  const text = (key: "content" | "thinking"): string => pieces.map((piece) => piece[key] ?? "").join("");
  const [thinking, calls, logprobs] = [
    text("thinking"),
    pieces.flatMap((piece) => piece.calls ?? []),
    pieces.flatMap((piece) => piece.logprobs ?? []),
  ];
  return {
    content: text("content"),
    ...(thinking && { thinking }),
    ...(calls.length > 0 && { calls }),
    ...(logprobs.length > 0 && { logprobs }),
  };
}

/** Text and reasoning come as they are made, a call when it is whole. */
function pieceOf(part: Exclude<BlockEvent, Finish>): Piece | undefined {
  if (part.type === "delta" && part.block.kind === "reasoning") return { content: "", thinking: part.text };
  if (part.type === "delta" && part.block.kind === "text")
    return { content: part.text, ...(part.logprobs.length > 0 && { logprobs: part.logprobs.map(shownLogprob) }) };
  if (part.type === "stop" && part.block.kind === "call") return { content: "", calls: [callOf(part.block)] };
  return undefined;
}

function callOf({ id, name, text }: Block): object {
  return { id, function: { name, arguments: parseArguments(text) } };
}

/** A call that the length cut off has no whole arguments. */
function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function shownLogprob({ token, logprob, bytes, top_logprobs: top }: ChatTokenLogprob): object {
  return {
    token,
    logprob,
    bytes,
    top_logprobs: top.map((one) => ({ token: one.token, logprob: one.logprob, bytes: one.bytes })),
  };
}

const NANOSECONDS = 1e6;

/** The last fields of an answer. Durations are in nanoseconds. */
function ending({ start, loadMs }: AnswerStyle, { reason, usage, timings }: Finish): object {
  const ns = (ms: number): number => Math.round(ms * NANOSECONDS);
  return {
    done: true,
    done_reason: reason === "length" ? "length" : "stop",
    total_duration: ns(performance.now() - start),
    load_duration: ns(loadMs),
    prompt_eval_count: usage.prompt_tokens,
    prompt_eval_duration: ns(timings?.prompt_ms ?? 0),
    eval_count: usage.completion_tokens,
    eval_duration: ns(timings?.predicted_ms ?? 0),
  };
}
