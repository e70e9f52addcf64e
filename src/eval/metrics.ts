/**
 * Scores of rows, and their means.
 * @module
 */

/** The index of the largest number; of equals the first. */
export function argMax(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

export interface Mean {
  readonly mean: number;
  /** The standard error of the mean: the sample's deviation by the root of its size. NaN for fewer than two values. */
  readonly stderr: number;
}

/** @param values at least one */
export function meanOf(values: readonly number[]): Mean {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, stderr: Math.sqrt(squares / (n - 1) / n) };
}

/** Shares of right answers, with the number of answers that each is of. */
export interface Share {
  readonly share: number;
  readonly answers: number;
}

/** The 97.5th percentile of the standard normal distribution. */
const NORMAL_QUANTILE = 1.959964;

/**
 * The 95 % interval of a mean of shares that comes from the sampling of answers alone: the questions are given, and other
 * answers to the same questions would be expected within it. Undefined where a question has one answer.
 */
export function samplingInterval(shares: readonly Share[]): readonly [low: number, high: number] | undefined {
  if (shares.some(({ answers }) => answers < 2)) return undefined;
  const mean = shares.reduce((sum, { share }) => sum + share, 0) / shares.length;
  const variance = shares.reduce((sum, { share, answers }) => sum + (share * (1 - share)) / (answers - 1), 0);
  const half = (NORMAL_QUANTILE * Math.sqrt(variance)) / shares.length;
  return [Math.max(0, mean - half), Math.min(1, mean + half)];
}
