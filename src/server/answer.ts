/**
 * Runs a checked request and makes its response, whole or as events. All endpoints that generate share it.
 * @module
 */
import type { Timings } from "../engine/generate/timings.ts";
import type { Admission, Ticket } from "./admission.ts";
import { type Asked, type Call, callOf } from "./call.ts";
import type { Metrics } from "./metrics.ts";
import { type StreamFormat, streamResponse } from "./streams.ts";

/** An endpoint's plan for the answer to a body. Generation starts when the first chunk is asked for. */
export interface Prepared<Chunk> {
  readonly stream: boolean;
  /** Default: server-sent events. */
  readonly format?: StreamFormat;
  readonly chunks: AsyncIterable<Chunk>;
  /** Collects the chunks into the whole answer. */
  collect(chunks: AsyncIterable<Chunk>): Promise<object>;
  /** Writes the chunks as events or lines of a stream. */
  events(chunks: AsyncIterable<Chunk>): AsyncIterable<string>;
  /** The event or line that ends a stream which fails. */
  failure(error: unknown): string;
}

/**
 * Loads the model if need be, checks the request, waits for a slot, then generates. The check comes before the slot, so
 * that a wrong request is refused at once; the place in the queue comes before the check, so that a full server checks
 * nothing.
 * @throws NibbleError what `prepare` throws; `overloaded` or `shutting_down`
 */
export async function answer<Chunk extends CountedChunk>(
  prepare: (call: Call, signal: AbortSignal) => Promise<Prepared<Chunk>>,
  asked: Asked,
): Promise<Response> {
  const { metrics, settings, failures } = asked.exchange.server;
  const client = asked.exchange.request.signal;
  const { ticket, call } = await admit(asked, asked.exchange.server.admission);
  try {
    const prepared = await prepare(call, ticket.signal);
    await ticket.slot;
    const chunks = counted(prepared.chunks, metrics);
    if (!prepared.stream) {
      const whole = await prepared.collect(chunks);
      ticket.end();
      return Response.json(whole);
    }
    return streamResponse(ticket, prepared.events(chunks), {
      format: prepared.format ?? "events",
      stallMs: settings.stallTimeoutMs,
      failure: (error) => {
        if (!client.aborted) failures.note(error);
        return prepared.failure(error);
      },
    });
  } catch (error) {
    ticket.end();
    throw error;
  }
}

/**
 * Checks the request, then runs a computation that generates nothing, when the request has its slot.
 * @param admission gives the slots (default: those of answers)
 */
export async function computed(
  check: (call: Call) => (signal: AbortSignal) => Promise<object>,
  asked: Asked,
  admission: Admission = asked.exchange.server.admission,
): Promise<Response> {
  const { ticket, call } = await admit(asked, admission);
  try {
    const compute = check(call);
    await ticket.slot;
    return Response.json(await compute(ticket.signal));
  } finally {
    ticket.end();
  }
}

/** A place in the queue and the model, which both end with the ticket. */
async function admit(asked: Asked, admission: Admission): Promise<{ ticket: Ticket; call: Call }> {
  const { server, request, ofBatch } = asked.exchange;
  const place = admission.admit(request.signal, ofBatch);
  try {
    const lease = await server.models.acquire(asked.served, place.signal);
    const end = (): void => {
      lease.release();
      place.end();
    };
    place.signal.addEventListener("abort", end, { once: true });
    return { ticket: { ...place, end }, call: callOf(asked, lease) };
  } catch (error) {
    place.end();
    throw error;
  }
}

/** The part of a chunk that the metrics use. A chunk with a finish reason has the timings of its whole answer. */
interface CountedChunk {
  readonly timings?: Timings;
  readonly choices?: readonly { readonly finish_reason: string | null }[];
}

/** Passes chunks on and counts the answer: complete when its timings came, else cut off. */
async function* counted<Chunk extends CountedChunk>(
  chunks: AsyncIterable<Chunk>,
  metrics: Metrics,
): AsyncGenerator<Chunk, undefined> {
  let complete = false;
  try {
    for await (const chunk of chunks) {
      if (chunk.timings && chunk.choices?.some(({ finish_reason: reason }) => reason)) {
        complete = true;
        metrics.answer(chunk.timings);
      }
      yield chunk;
    }
  } finally {
    if (!complete) metrics.cut();
  }
}
