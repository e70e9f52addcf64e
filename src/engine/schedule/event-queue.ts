/**
 * A queue of events from one producer to one reader, which may be slower.
 * @module
 */
interface Waiting<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

export class EventQueue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #events: T[] = [];
  readonly #onRead: () => void;
  readonly #onCancel: () => void;
  #waiting: Waiting<T> | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param onRead called after the reader took an event
   * @param onCancel called once if the reader leaves before the end
   */
  constructor(onRead: () => void, onCancel: () => void) {
    this.#onRead = onRead;
    this.#onCancel = onCancel;
  }

  /** Events that are not read yet. */
  get size(): number {
    return this.#events.length;
  }

  push(event: T): void {
    if (this.#ended) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.resolve({ value: event, done: false });
    else this.#events.push(event);
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.resolve({ value: undefined, done: true });
    this.#waiting = undefined;
  }

  /** Drops unread events, so that the reader learns of the failure next. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.length = 0;
    if (this.#waiting) this.#waiting.reject(error);
    else this.#failure = { error };
    this.#waiting = undefined;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#onRead();
      return { value: event, done: false };
    }
    if (this.#failure) {
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
    if (this.#ended) return { value: undefined, done: true };
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#events.length = 0;
    this.#failure = undefined;
    if (!this.#ended) this.#onCancel();
    this.end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
