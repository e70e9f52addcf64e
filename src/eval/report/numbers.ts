/**
 * Numbers as texts, the same on every host.
 * @module
 */

/** Half of the width of an interval that holds 95 of 100 values of a normal distribution, in standard deviations. */
const Z = 1.959964;

/** `12,345`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** A share in percent with one decimal, as model cards give it. */
export function percent(share: number): string {
  return (100 * share).toFixed(1);
}

/** A length of at most four characters: `980`, `1.2k`, `12k`. */
export function short(value: number): string {
  const rounded = Math.round(value);
  if (rounded < 1000) return String(rounded);
  return `${rounded < 9950 ? (rounded / 1000).toFixed(1) : Math.round(rounded / 1000)}k`;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The 95 % interval of a mean by its standard error, within 0 and 1. */
export function interval(mean: number, stderr: number): Interval {
  return { low: Math.max(0, mean - Z * stderr), high: Math.min(1, mean + Z * stderr) };
}

/**
 * The 95 % interval of a share by E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
 * 1927. It holds for few rows too, where the standard error of 0 or all is 0.
 */
export function wilson(share: number, rows: number): Interval {
  const scale = 1 / (1 + Z ** 2 / rows);
  const middle = scale * (share + Z ** 2 / (2 * rows));
  const half = scale * Z * Math.sqrt((share * (1 - share)) / rows + Z ** 2 / (4 * rows ** 2));
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/** @param values at least one */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
