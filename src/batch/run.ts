/**
 * Runs a batch: each request is answered once, as many at the same time as the servers take.
 * @module
 */
import { type IdentifiedRequest, identify } from "./identity.ts";
import type { ServerPool } from "./pool.ts";
import { isLineError, type LineError, RequestReader } from "./request.ts";
import { type Outcome, resultLine } from "./result.ts";
import type { BatchServer } from "./server.ts";

export interface RunOptions {
  /** Called with the line of each result, as they come. The run waits for it before it ends. */
  readonly onResult: (line: string, outcome: Outcome, request: IdentifiedRequest) => Promise<void> | void;
  /** Ends the run: requests that are under way are given up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param requests are read as the servers take them, so they may be more than memory holds
 * @throws the signal's reason; what `requests` and `onResult` throw; NibbleError `io_error`, `unauthorized` where no server is left
 */
export async function runBatch(
  requests: AsyncIterable<IdentifiedRequest>,
  pool: ServerPool,
  { onResult, signal }: RunOptions,
): Promise<void> {
  const failed = new AbortController();
  const ended = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const running = new Set<Promise<void>>();
  const answer = async (request: IdentifiedRequest): Promise<void> => {
    const outcome = await pool.ask({ path: request.url, body: request.sent }, ended);
    await onResult(resultLine(request, outcome), outcome, request);
  };
  try {
    for await (const request of requests) {
      await pool.room();
      if (ended.aborted) break;
      const one: Promise<void> = answer(request)
        .catch((error: unknown) => failed.abort(error))
        .finally(() => running.delete(one));
      running.add(one);
    }
  } catch (error) {
    failed.abort(error);
  }
  await Promise.all(running);
  ended.throwIfAborted();
}

/**
 * Answers one line of a batch by one server, for queues that hand out single requests. There is no second attempt, since queues
 * have their own.
 * @returns the line of its result, the same bytes as in a whole batch
 * @throws what the server throws where it cannot be reached
 */
export async function answerLine(text: string, server: BatchServer, signal?: AbortSignal): Promise<string> {
  const read = new RequestReader().read(text, 1);
  if (isLineError(read)) return JSON.stringify({ id: null, custom_id: null, response: null, error: errorOf(read) });
  const request = await identify(read);
  const { status, body } = await server.send(request.url, request.sent, signal ?? new AbortController().signal);
  return resultLine(request, { status, body });
}

function errorOf({ code, message }: LineError): object {
  return { code, message };
}
