/**
 * Streams of OpenAI's completions: the request's fields for them, and the events.
 * @module
 */
import { invalid } from "../../base/fields.ts";
import { type Body, STREAMED } from "../engine-calls.ts";
import { errorBody } from "../errors.ts";
import { sseEvent } from "../streams.ts";

/**
 * Whether the client wants a stream, and the request with which the engine streams in either case.
 * @throws NibbleError `invalid_request` that names the field
 */
export function readStream(body: unknown): { stream: boolean; request: Body } {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("body", "an object", body);
  const { stream } = body as Body;
  if (stream === true) return { stream: true, request: { stream_options: null, ...body } };
  if (stream !== undefined && stream !== null && stream !== false) throw invalid("stream", "true or false", stream);
  return { stream: false, request: { ...body, ...STREAMED } };
}

/** One event per chunk, then `[DONE]`. */
export async function* chunkEvents(chunks: AsyncIterable<object>): AsyncGenerator<string, undefined> {
  for await (const chunk of chunks) yield sseEvent(chunk);
  yield sseEvent("[DONE]");
}

export function failureEvent(error: unknown): string {
  return sseEvent(errorBody(error, "openai"));
}
