/**
 * Compares engines by ratios of samples from the same rounds.
 * @module
 */
import { label } from "./engines.ts";
import type { Row } from "./models.ts";
import { ratio, type Spread } from "./statistics.ts";

/** The speed of one engine relative to another. Ratios are taken sample by sample. */
export interface Comparison {
  readonly ours: string;
  readonly against: string;
  readonly test: string;
  readonly times: Spread;
}

const nameOf = ({ engine, n_threads }: Row): string => label({ name: engine, threads: n_threads });
const times = (ours: Row, theirs: Row): Spread => ratio(ours.samples_ts, theirs.samples_ts);

/** Compares each of our engines with each peer of as many threads or fewer, test by test. */
export function againstPeers(rows: readonly Row[]): Comparison[] {
  return rows
    .filter(({ ours }) => ours)
    .flatMap((row) =>
      rows
        .filter((peer) => !peer.ours && peer.test === row.test && peer.n_threads <= row.n_threads)
        .map((peer) => ({ ours: nameOf(row), against: nameOf(peer), test: row.test, times: times(row, peer) })),
    );
}

/** Compares our engines with themselves: several threads with one; decode at depth, or of several sequences, with plain decode. */
export function againstOurselves(rows: readonly Row[]): Comparison[] {
  const ours = rows.filter((row) => row.ours);
  return ours.flatMap((row) => {
    const alone = row.engine.replace("threads", "relaxed");
    const single = ours.find((other) => other.test === row.test && other.n_threads === 1 && other.engine === alone);
    const plain = ours.find(
      (other) => nameOf(other) === nameOf(row) && other.n_gen > 0 && !/[@x]/.test(other.test) && row.n_gen > 0,
    );
    return [
      ...(single && row.n_threads > 1
        ? [{ ours: nameOf(row), against: nameOf(single), test: row.test, times: times(row, single) }]
        : []),
      ...(plain && plain !== row
        ? [{ ours: nameOf(row), against: plain.test, test: row.test, times: times(row, plain) }]
        : []),
    ];
  });
}
