/**
 * Bounds how many calls run at the same time.
 * @module
 */

export class Slots {
  #free: number;
  /** Calls that wait for a slot, the oldest first. */
  readonly #waiting: (() => void)[] = [];
  /** Those who wait until a slot is free and no call waits for it. */
  readonly #idle: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Whether a call would have to wait. */
  get full(): boolean {
    return this.#free === 0;
  }

  /** Runs `call` as soon as there is a slot. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.full) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    try {
      return await call();
    } finally {
      // The slot goes to the next call without becoming free in between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#release();
    }
  }

  /** Resolves when there is a free slot. */
  async free(): Promise<undefined> {
    if (this.full) await new Promise<void>((resolve) => this.#idle.push(resolve));
    return undefined;
  }

  #release(): void {
    this.#free++;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
