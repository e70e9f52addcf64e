/**
 * Runs a batch: each request is answered once, as many at the same time as the servers take.
 * @module
 */
import type { IdentifiedRequest } from "./identity.ts";
import type { ServerPool } from "./pool.ts";
import { type Outcome, resultLine } from "./result.ts";

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
