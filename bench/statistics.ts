/**
 * Summarises measurements by medians and quartiles; one busy moment of the machine would move a mean.
 * @module
 */

/** The value below which a share `q` of the values lies, interpolated. `NaN` for no values. */
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
 * How many times as large `ours` is as `theirs`. Samples are paired by round: those of one round ran within seconds of each
 * other, so a load on the machine that lasts for minutes slows both.
 */
export function ratio(ours: readonly number[], theirs: readonly number[]): Spread {
  return spread(ours.slice(0, theirs.length).map((value, round) => value / theirs[round]!));
}

/** 0.73 becomes `73 %`; undefined becomes an empty text. */
export function percent(share: number | undefined): string {
  return share === undefined ? "" : `${(100 * share).toFixed(0)} %`;
}

/** `1.27 (1.25-1.29)`: the median, and the middle half. Three digits. */
export function spreadText({ median, low, high }: Spread): string {
  const digits = median >= 100 ? 0 : median >= 10 ? 1 : 2;
  return `${median.toFixed(digits)} (${low.toFixed(digits)}-${high.toFixed(digits)})`;
}
