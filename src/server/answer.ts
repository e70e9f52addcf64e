/**
 * From a checked request to its response, whole or as events: what all endpoints that generate share.
 * @module
 */
import type { Timings } from "../engine/generate/events.ts";
import { isInternal } from "./errors.ts";
import { eventStream } from "./event-stream.ts";
import type { Metrics } from "./metrics.ts";
import type { Exchange } from "./route.ts";

/** What an endpoint makes of a body. Generation starts when the first chunk is asked for. */
export interface Prepared<Chunk> {
  readonly stream: boolean;
  readonly chunks: AsyncIterable<Chunk>;
  /** Collects the chunks into the whole answer. */
  collect(chunks: AsyncIterable<Chunk>): Promise<object>;
  /** Writes the chunks as server-sent events. */
  events(chunks: AsyncIterable<Chunk>): AsyncIterable<string>;
  /** The event that ends a stream which fails. */
  failure(error: unknown): string;
}

/**
 * Checks the request, waits for a slot, then generates. The check comes first, so a wrong request is refused at once; the
 * place in the queue is taken before it, so a full server checks nothing.
 * @throws NibbleError what `prepare` throws; `overloaded` or `shutting_down`
 */
export async function answer<Chunk extends { readonly timings?: Timings }>(
  prepare: (signal: AbortSignal) => Promise<Prepared<Chunk>>,
  { request, server }: Exchange,
): Promise<Response> {
  const { admission, metrics, settings } = server;
  const ticket = admission.admit(request.signal);
  try {
    const prepared = await prepare(ticket.signal);
    await ticket.slot;
    const chunks = counted(prepared.chunks, metrics);
    if (!prepared.stream) {
      const whole = await prepared.collect(chunks);
      ticket.end();
      return Response.json(whole);
    }
    return eventStream(ticket, prepared.events(chunks), {
      stallMs: settings.stallTimeoutMs,
      failure: (error) => {
        if (!request.signal.aborted && isInternal(error)) settings.onError(error);
        return prepared.failure(error);
      },
    });
  } catch (error) {
    ticket.end();
    throw error;
  }
}

/** Runs a computation that generates nothing, when the request has its slot. */
export async function computed(
  compute: (signal: AbortSignal) => Promise<object>,
  { request, server }: Exchange,
): Promise<Response> {
  const ticket = server.admission.admit(request.signal);
  try {
    await ticket.slot;
    return Response.json(await compute(ticket.signal));
  } finally {
    ticket.end();
  }
}

/** Passes chunks on and counts the answer: complete when its timings came, else cut off. */
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
