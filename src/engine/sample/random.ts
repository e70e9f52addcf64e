/**
 * Counter-based random numbers: each number is a function of (seed, position, choice), not of earlier numbers.
 * So a seed gives the same tokens on every host, streamed or not, alone or in a batch, retried or resumed.
 *
 * Philox-4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 * @module
 */
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** Ten rounds on a 128-bit counter with a 64-bit key. @returns four 32-bit words */
export function philox(counter: readonly [number, number, number, number], key: readonly [number, number]): number[] {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, a);
    const high1 = multiplyHigh(MULTIPLIER_1, c);
    const low0 = Math.imul(MULTIPLIER_0, a);
    const low1 = Math.imul(MULTIPLIER_1, c);
    [a, b, c, d] = [high1 ^ b ^ k0, low1, high0 ^ d ^ k1, low0];
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}

/**
 * A number in [0, 1) with 53 bits.
 * @param seed any integer of at most 64 bits, of which a double keeps the first 53
 * @param position which token of the answer
 * @param choice which of several answers to one request
 * @param stream which of several numbers for one token
 */
export function uniform(seed: number, position: number, choice: number, stream = 0): number {
  const key = [seed >>> 0, Math.floor(seed / 4294967296) >>> 0] as const;
  const [high, low] = philox([position, choice, stream, 0], key) as [number, number];
  return ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992; // 2^26, 2^53
}

/** A seed for requests that name none. It need not be secret, and Web Crypto would add 6 ms to a cold start of Node. */
export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

/** 24 random hexadecimal digits, for names that must be unique. */
export function randomHex(): string {
  const random = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The upper 32 bits of an unsigned product, from 16-bit halves. */
function multiplyHigh(x: number, y: number): number {
  const [x0, x1] = [x & 0xffff, x >>> 16];
  const [y0, y1] = [y & 0xffff, y >>> 16];
  const middle = x1 * y0 + ((x0 * y0) >>> 16); // Below 2^33, so `>>>` would cut it.
  const low = (middle % 65536) + x0 * y1;
  return (x1 * y1 + Math.floor(middle / 65536) + Math.floor(low / 65536)) | 0;
}
