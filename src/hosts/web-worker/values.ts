/**
 * The values of a call that arrive by messages, as an iterator.
 * @module
 */

/** How the values ended: with an error, or without one. */
type End = { readonly error?: unknown };

export class Values<T> implements AsyncIterableIterator<T> {
  readonly #values: T[] = [];
  readonly #leave: () => void;
  #end: End | undefined;
  #wake: () => void = () => {};
  #start: (error?: End) => void = () => {};
  /** Resolves before the first value. Rejects if the request is refused. */
  readonly started: Promise<void>;

  /** @param leave is called if the reader leaves before the end */
  constructor(leave: () => void) {
    this.#leave = leave;
    this.started = new Promise((resolve, reject) => {
      this.#start = (end) => (end && "error" in end ? reject(end.error) : resolve());
    });
    this.started.catch(() => {}); // `next` rejects with the same error
  }

  start(): void {
    this.#start();
  }

  push(value: T): void {
    this.#values.push(value);
    this.#wake();
  }

  end(): void {
    this.#finish({});
  }

  fail(error: unknown): void {
    this.#finish({ error });
  }

  async next(): Promise<IteratorResult<T>> {
    while (this.#values.length === 0 && !this.#end)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#values.length > 0) return { value: this.#values.shift()!, done: false };
    const end = this.#end!;
    this.#end = {};
    if ("error" in end) throw end.error;
    return { value: undefined, done: true };
  }

  async return(): Promise<IteratorResult<T>> {
    this.#leave();
    this.#values.length = 0;
    this.end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(end: End): void {
    this.#end ??= end;
    this.#start(end);
    this.#wake();
  }
}
