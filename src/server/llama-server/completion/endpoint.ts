/**
 * llama-server's own /completion, and the answers that /infill gives in the same form.
 * @module
 */
import type { Completion } from "../../../engine/openai/completion-types.ts";
import type { Prepared } from "../../answer.ts";
import type { Call } from "../../call.ts";
import { openText } from "../../engine-calls.ts";
import { errorBody, type FieldNames } from "../../errors.ts";
import { sseEvent } from "../../streams.ts";
import { generationSettings } from "../generation-settings.ts";
import { answerObject, type NativeStyle, pieceObject, pieces } from "./answer.ts";
import { type NativeRequest, readNativeRequest } from "./request.ts";

/** A single prompt goes to the engine as a list of one. */
const NAMES: FieldNames = [
  [/^prompt\[0\]/, "prompt"],
  [/^n\b(?!_)/, "n_cmpl"],
];

/** @throws NibbleError that names the field */
export function prepareNative(call: Call, signal: AbortSignal): Promise<Prepared<Completion>> {
  return prepareRequest(call, readNativeRequest(call), signal);
}

/** Prepares the answers to a request that has been read. @throws NibbleError that names the field */
export async function prepareRequest(
  call: Call,
  request: NativeRequest,
  signal: AbortSignal,
): Promise<Prepared<Completion>> {
  const chunks = await openText(call, request.body, { signal, names: request.several ? [] : NAMES });
  const { name, contextLength } = call.model.info;
  const style = {
    request,
    model: name,
    contextLength,
    settings: generationSettings(call.model.info, call, request.body),
  };
  return {
    stream: request.stream,
    chunks,
    collect: (from) => collect(style, from),
    events: (from) => events(style, from),
    failure: (error) => sseEvent(errorBody(error, "openai")),
  };
}

async function collect(style: NativeStyle, chunks: AsyncIterable<Completion>): Promise<object> {
  const answers: object[] = [];
  for await (const piece of pieces(style, chunks))
    if (piece.end) answers[piece.index] = answerObject(style, piece, piece.end);
  return style.request.several ? answers : answers[0]!;
}

async function* events(style: NativeStyle, chunks: AsyncIterable<Completion>): AsyncGenerator<string, undefined> {
  for await (const piece of pieces(style, chunks)) yield sseEvent(pieceObject(style, piece));
}
