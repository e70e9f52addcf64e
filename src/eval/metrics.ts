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
