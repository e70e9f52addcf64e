/**
 * pass@k: the chance that at least one of k programs is right.
 * @module
 */

/**
 * The unbiased estimate of Chen et al. 2021 (arXiv 2107.03374): 1 - C(n - c, k) / C(n, k). It is computed exactly and
 * rounded once.
 * @param n programs that were tried @param c right ones among them @param k at most n
 */
export function passAtK(n: number, c: number, k: number): number {
  // C(n - c, k) / C(n, k) is the product of (n - c - i) / (n - i).
  let wrong = 1n;
  let all = 1n;
  for (let i = 0; i < k; i++) {
    wrong *= BigInt(Math.max(n - c - i, 0));
    all *= BigInt(n - i);
  }
  const scale = 128n; // The quotient is 0 or at least 1/n, so the cut is far below the 53 bits of a number.
  return Number(((all - wrong) << scale) / all) / 2 ** Number(scale);
}
