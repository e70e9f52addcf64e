/**
 * Streamed responses, server-sent events or lines of JSON, made at the reader's pace.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Ticket } from "./admission.ts";

/** One event. Some APIs name their events, others do not. */
export function sseEvent(data: object | string, name?: string): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return `${name === undefined ? "" : `event: ${name}\n`}data: ${text}\n\n`;
}

/** One JSON object on a line of its own. */
export function jsonLine(data: object): string {
  return `${JSON.stringify(data)}\n`;
}

/** How a stream is written. */
export type StreamFormat = "events" | "lines";

const CONTENT_TYPES: Readonly<Record<StreamFormat, string>> = {
  events: "text/event-stream; charset=utf-8",
  lines: "application/x-ndjson",
};

export interface StreamOptions {
  readonly format: StreamFormat;
  /** The event or line that ends a stream which fails. */
  readonly failure: (error: unknown) => string;
  /** Milliseconds after which a reader that takes nothing counts as gone. */
  readonly stallMs: number;
}

/**
 * A response that makes an event when the reader asks for one. Only the engine's queue of 64 tokens is filled ahead, so
 * memory is bounded whatever the reader does. The ticket ends with the stream, however that ends.
 */
export function streamResponse(
  ticket: Ticket,
  events: AsyncIterable<string>,
  { format, failure, stallMs }: StreamOptions,
): Response {
  const encoder = new TextEncoder();
  const iterator = events[Symbol.asyncIterator]();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const leave = (reason: unknown): void => {
    clearTimeout(timer);
    ticket.abort(reason);
    ticket.end();
    iterator.return?.().catch(() => {}); // a step under way rejects with the signal's reason
  };
  const arm = (controller: ReadableStreamDefaultController): void => {
    timer = setTimeout(() => {
      const stalled = new NibbleError("timeout", `the reader took nothing for ${stallMs} ms`);
      leave(stalled);
      controller.error(stalled);
    }, stallMs);
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: arm,
      async pull(controller) {
        clearTimeout(timer);
        try {
          const { value, done } = await iterator.next();
          if (!done) {
            arm(controller);
            controller.enqueue(encoder.encode(value));
            return;
          }
        } catch (error) {
          controller.enqueue(encoder.encode(failure(error)));
        }
        leave(new NibbleError("disposed", "the stream has ended"));
        controller.close();
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      "content-type": CONTENT_TYPES[format],
      "cache-control": "no-cache",
      "x-accel-buffering": "no", // nginx would buffer events
    },
  });
}
