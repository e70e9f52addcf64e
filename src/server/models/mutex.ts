/**
 * A lock that is given in the order in which it was asked for.
 * @module
 */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `action` when all earlier ones have ended. @throws what `action` throws, or the signal's reason before it begins */
  run<T>(action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const result = this.#last.then(() => {
      signal?.throwIfAborted();
      return action();
    });
    this.#last = result.catch(() => {});
    return result;
  }
}
