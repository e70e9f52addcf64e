/**
 * Streams of OpenAI's completions: the request's fields for them, and the events.
 * @module
 */
import { invalid } from "../../base/fields.ts";
import type { Body } from "../body.ts";
import type { Call } from "../call.ts";
import { STREAMED } from "../engine-calls.ts";
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

/**
 * The value of `system_fingerprint`: a request with the same fingerprint and seed gets the same tokens on any host. It
 * depends on the model, and on the adapters' scales that POST /lora-adapters has set.
 */
export function fingerprintOf({ model, served }: Call): string {
  const scales = served.lora?.map(({ id, scale }) => `_${id}x${scale}`).join("") ?? "";
  return `fp_${model.fingerprint()}${scales}`;
}

export function withFingerprint(answer: object, fingerprint: string): object {
  return { ...answer, system_fingerprint: fingerprint };
}

/** One event per chunk, then `[DONE]`. */
export async function* chunkEvents(
  chunks: AsyncIterable<object>,
  fingerprint: string,
): AsyncGenerator<string, undefined> {
  for await (const chunk of chunks) yield sseEvent(withFingerprint(chunk, fingerprint));
  yield sseEvent("[DONE]");
}

export function failureEvent(error: unknown): string {
  return sseEvent(errorBody(error, "openai"));
}
