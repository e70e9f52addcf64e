/**
 * The page's side of the messages: it posts calls to the worker, and passes the worker's answers on.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { LoadProgress } from "../../runtime/weights.ts";
import { type FromWorker, receivedError, type ToWorker } from "./messages.ts";
import { Values } from "./values.ts";

/** Receives the answers to a call. */
interface Listener {
  /** The worker has accepted the request of a call with many values. */
  started?(): void;
  value?(value: unknown): void;
  end(value: unknown): void;
  fail(error: unknown): void;
}

interface Call {
  readonly listener: Listener;
  /** Stops listening to the caller's signal. */
  readonly ignoreSignal: () => void;
}

export class Calls {
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  #next = 0;
  /** Set once the worker has ended: why no call can be made any more. */
  #ended: Error | undefined;

  constructor(worker: Worker, onProgress: ((progress: LoadProgress) => void) | undefined) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "progress") return onProgress?.(data.progress);
      const listener = this.#calls.get(data.id)?.listener;
      if (data.type === "started") return listener?.started?.();
      if (data.type === "value") return listener?.value?.(data.value);
      this.#forget(data.id);
      if (data.type === "error") listener?.fail(receivedError(data.error));
      else listener?.end(data.value);
    };
    worker.onerror = ({ message }) =>
      this.fail(new NibbleError("unsupported_host", `the model's worker failed: ${message || "no script was found"}`));
  }

  /** Posts a call with one value. What `transfer` lists is moved to the worker; everything else is cloned. */
  one(method: string, args: readonly unknown[], signal?: AbortSignal, transfer?: Transferable[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#start({ method, args }, { end: resolve, fail: reject }, signal, transfer);
    });
  }

  /** Posts a call with many values. It ends early if the reader leaves the iterator. */
  many(method: string, args: readonly unknown[], signal?: AbortSignal): Values<unknown> {
    const values: Values<unknown> = new Values(() => this.#abort(id));
    const id = this.#start(
      { method, args },
      {
        started: () => values.start(),
        value: (value) => values.push(value),
        end: () => values.end(),
        fail: (error) => values.fail(error),
      },
      signal,
    );
    return values;
  }

  /** Ends all calls with an error, and refuses later ones with the same error. */
  fail(error: Error): void {
    this.#ended ??= error;
    for (const [id, { listener }] of [...this.#calls]) {
      this.#forget(id);
      listener.fail(error);
    }
  }

  #start(
    call: { method: string; args: readonly unknown[] },
    listener: Listener,
    signal: AbortSignal | undefined,
    transfer: Transferable[] = [],
  ): number {
    const id = this.#next++;
    if (this.#ended || signal?.aborted) {
      listener.fail(this.#ended ?? signal?.reason);
      return id;
    }
    try {
      this.#worker.postMessage({ type: "call", id, ...call } satisfies ToWorker, transfer);
    } catch (cause) {
      const message = `the arguments cannot be posted to a worker: ${(cause as Error).message}`;
      listener.fail(new NibbleError("invalid_argument", message, { cause }));
      return id;
    }
    const onAbort = (): void => {
      this.#abort(id);
      listener.fail(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort);
    this.#calls.set(id, { listener, ignoreSignal: () => signal?.removeEventListener("abort", onAbort) });
    return id;
  }

  /** Ends a call in the worker. Its listener is not told. */
  #abort(id: number): void {
    if (this.#forget(id)) this.#worker.postMessage({ type: "abort", id } satisfies ToWorker);
  }

  /** Removes a call. Returns false if it has ended already. */
  #forget(id: number): boolean {
    this.#calls.get(id)?.ignoreSignal();
    return this.#calls.delete(id);
  }
}
