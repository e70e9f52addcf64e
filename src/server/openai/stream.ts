/**
 * How OpenAI's completions are streamed: the request's fields for it, and the events.
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
export function readStream(body: Body): { stream: boolean; request: Body } {
  const { stream, stream_options: options } = body;
  if (stream === true) return { stream: true, request: { ...body, stream_options: options ?? null } };
  if (stream !== undefined && stream !== null && stream !== false) throw invalid("stream", "true or false", stream);
  if (options !== undefined && options !== null) throw invalid("stream_options", "stream: true with it", options);
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
