/**
 * Server-sent events that a slow reader slows down.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Flight } from "./admission.ts";

/** One event. A name only where the API has one. */
export function sseEvent(data: object | string, name?: string): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return `${name === undefined ? "" : `event: ${name}\n`}data: ${text}\n\n`;
}

export interface EventStreamOptions {
  /** The last event of a stream that fails. */
  readonly failure: (error: unknown) => string;
  /** A reader that takes nothing for so long is gone. */
  readonly stallMs: number;
}

/**
 * A response that makes an event when the reader asks for one: nothing is made ahead besides what the engine's own queue
 * holds (64 tokens), so memory is bounded whatever the reader does. The flight ends with the stream, however it ends.
 */
export function eventStream(
  flight: Flight,
  events: AsyncIterable<string>,
  { failure, stallMs }: EventStreamOptions,
): Response {
  const encoder = new TextEncoder();
  const iterator = events[Symbol.asyncIterator]();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const leave = (reason: unknown): void => {
    clearTimeout(timer);
    flight.abort(reason);
    flight.end();
    iterator.return?.().catch(() => {}); // a step under way ends with the signal's reason
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
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no", // nginx would collect events
    },
  });
}
