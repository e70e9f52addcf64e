/**
 * What stands for many measurements. No means: one neighbour on the machine would move them.
 * @module
 */

/** The value below which a share `q` of the values lies, interpolated. `NaN` of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export interface Spread {
  readonly median: number;
  /** A quarter of the values lies below `low`, a quarter above `high`. */
  readonly low: number;
  readonly high: number;
}

export function spread(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

/**
 * How many times as large `ours` is. Samples are paired: those of one round ran within seconds of each other, so a
 * neighbour that slows the machine for minutes slows both.
 */
export function ratio(ours: readonly number[], theirs: readonly number[]): Spread {
  return spread(ours.slice(0, theirs.length).map((value, round) => value / theirs[round]!));
}

/** `73 %`, of 0.73; nothing of nothing. */
export function percent(share: number | undefined): string {
  return share === undefined ? "" : `${(100 * share).toFixed(0)} %`;
}

/** `1.27 (1.25-1.29)`: the median, and the middle half. Three digits. */
export function spreadText({ median, low, high }: Spread): string {
  const digits = median >= 100 ? 0 : median >= 10 ? 1 : 2;
  return `${median.toFixed(digits)} (${low.toFixed(digits)}-${high.toFixed(digits)})`;
}
