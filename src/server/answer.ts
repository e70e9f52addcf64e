/**
 * From a checked request to its response, whole or as events: what all endpoints that generate share.
 * @module
 */
import type { Timings } from "../engine/generate.ts";
import type { Admission } from "./admission.ts";
import type { Metrics } from "./metrics.ts";
import { eventStream } from "./sse.ts";

/** What an endpoint makes of a body. Chunks start to be made when they are asked for. */
export interface Prepared<Chunk> {
  readonly stream: boolean;
  readonly chunks: AsyncIterable<Chunk>;
  /** The whole answer. */
  collect(chunks: AsyncIterable<Chunk>): Promise<object>;
  /** Server-sent events. */
  events(chunks: AsyncIterable<Chunk>): AsyncIterable<string>;
  /** The last event of a stream that fails. */
  failure(error: unknown): string;
}

/** Checks a body and tokenizes its prompt. @throws NibbleError that names the field */
export type Prepare<Chunk> = (body: unknown, signal: AbortSignal) => Promise<Prepared<Chunk>>;

export interface AnswerContext {
  readonly admission: Admission;
  readonly metrics: Metrics;
  readonly stallMs: number;
  readonly onError: (error: unknown) => void;
}

/** A wrong request is told so before it waits for its turn; more than may wait are not even looked at. */
export async function answer<Chunk extends { readonly timings?: Timings }>(
  prepare: Prepare<Chunk>,
  body: unknown,
  client: AbortSignal,
  { admission, metrics, stallMs, onError }: AnswerContext,
): Promise<Response> {
  const flight = admission.open(client);
  try {
    const prepared = await prepare(body, flight.signal);
    await flight.slot;
    const chunks = counted(prepared.chunks, metrics);
    if (!prepared.stream) {
      const whole = await prepared.collect(chunks);
      flight.end();
      return Response.json(whole);
    }
    return eventStream(flight, prepared.events(chunks), {
      stallMs,
      failure: (error) => {
        if (!client.aborted) onError(error);
        return prepared.failure(error);
      },
    });
  } catch (error) {
    flight.end();
    throw error;
  }
}

/** An answer that is not generated: it takes its turn as others do. */
export async function computed(
  compute: (signal: AbortSignal) => Promise<object>,
  client: AbortSignal,
  { admission }: AnswerContext,
): Promise<Response> {
  const flight = admission.open(client);
  try {
    await flight.slot;
    return Response.json(await compute(flight.signal));
  } finally {
    flight.end();
  }
}

async function* counted<Chunk extends { readonly timings?: Timings }>(
  chunks: AsyncIterable<Chunk>,
  metrics: Metrics,
): AsyncGenerator<Chunk, undefined> {
  let complete = false;
  try {
    for await (const chunk of chunks) {
      if (chunk.timings) {
        complete = true;
        metrics.answer(chunk.timings);
      }
      yield chunk;
    }
  } finally {
    if (!complete) metrics.cut();
  }
}
