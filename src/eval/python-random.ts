/**
 * Python's `random.Random(seed).sample`, with which lm-eval draws the examples of a prompt. The generator is MT19937
 * (Matsumoto and Nishimura 1998), seeded as CPython seeds it with an integer.
 * @module
 */
const SIZE = 624;
const MIDDLE = 397;

/** Limits of `sample`: CPython draws from a list of the pool where that takes less memory than a set of what is drawn. */
const SMALL_SET = 21;

export class PythonRandom {
  readonly #state = new Uint32Array(SIZE);
  #index = SIZE;

  /** @param seed 0 to 2^32 - 1 */
  constructor(seed: number) {
    this.#seedByArray(seed);
  }

  /**
   * Draws without putting back.
   * @param pool how many things there are
   * @param count how many are drawn, at most `pool`
   * @returns their indices in the order in which they were drawn
   */
  sample(pool: number, count: number): number[] {
    const setSize = count > 5 ? SMALL_SET + 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : SMALL_SET;
    return pool <= setSize ? this.#sampleList(pool, count) : this.#sampleSet(pool, count);
  }

  #sampleList(pool: number, count: number): number[] {
    const left = Array.from({ length: pool }, (_, i) => i);
    return Array.from({ length: count }, (_, i) => {
      const at = this.#below(pool - i);
      const drawn = left[at]!;
      left[at] = left[pool - i - 1]!;
      return drawn;
    });
  }

  #sampleSet(pool: number, count: number): number[] {
    const drawn = new Set<number>();
    while (drawn.size < count) drawn.add(this.#below(pool));
    return [...drawn];
  }

  /** An integer from 0 to n - 1: bits are drawn again until they are below n. */
  #below(n: number): number {
    const bits = 32 - Math.clz32(n);
    for (;;) {
      const drawn = this.next() >>> (32 - bits);
      if (drawn < n) return drawn;
    }
  }

  /** The next 32 bits. */
  next(): number {
    if (this.#index === SIZE) this.#twist();
    let y = this.#state[this.#index++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < SIZE; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % SIZE]! & 0x7fffffff);
      state[i] = state[(i + MIDDLE) % SIZE]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#index = 0;
  }

  /** `init_by_array` with an array of one number. */
  #seedByArray(seed: number): void {
    const state = this.#state;
    state[0] = 19650218;
    for (let i = 1; i < SIZE; i++) state[i] = Math.imul(1812433253, state[i - 1]! ^ (state[i - 1]! >>> 30)) + i;
    let i = 1;
    const previous = (at: number): number => state[at - 1]! ^ (state[at - 1]! >>> 30);
    const forward = (): void => {
      if (++i < SIZE) return;
      state[0] = state[SIZE - 1]!;
      i = 1;
    };
    for (let k = 0; k < SIZE; k++, forward()) state[i] = (state[i]! ^ Math.imul(previous(i), 1664525)) + seed;
    for (let k = 1; k < SIZE; k++, forward()) state[i] = (state[i]! ^ Math.imul(previous(i), 1566083941)) - i;
    state[0] = 0x80000000;
  }
}
