/**
 * How long steps take by their rows, which decides how many drafted tokens are worth checking.
 * @module
 */
/** Rows beyond this are computed at a constant rate. */
const MOST_ROWS = 32;
/** What a further row adds at least, for its sampling and its place in the batch. */
const LEAST = 0.15;
/** By how much a known time may grow with every newer one: contexts grow, and machines become busy. */
const DRIFT = 1.02;

/**
 * Times of steps, in units of a step of one row. They differ between machines: where reading the weights takes the time of
 * a step of one row, a step of four takes 1.5 times as long (140M shape in Q4_0, a Xeon with AMX); where computing does, it
 * takes 3.2 times as long (an EPYC with Zen 4). So they are measured while steps run. Results do not depend on them.
 */
export class StepTimes {
  /** The shortest recent time by class of rows, in milliseconds. */
  readonly #known = new Map<number, number>();
  readonly #measured: boolean;

  /** @param measured whether `note` changes anything; otherwise the times are the Xeon's */
  constructor(measured: boolean) {
    this.#measured = measured;
  }

  /** Takes the time of a step in which answers alone ran. A clock that stands still (on Workers) tells nothing. */
  note(rows: number, milliseconds: number): void {
    if (!this.#measured || milliseconds <= 0 || rows > MOST_ROWS) return;
    const known = this.#known.get(classOf(rows)) ?? Infinity;
    this.#known.set(classOf(rows), Math.min(milliseconds, known * DRIFT));
  }

  /** The time of a step with this number of rows. */
  of(rows: number): number {
    if (rows <= 1) return rows;
    const one = this.#known.get(1);
    const known = this.#known.get(classOf(rows));
    return one === undefined || known === undefined ? usual(rows) : Math.max(1 + LEAST * (rows - 1), known / one);
  }
}

/** Rows are computed in tiles of four. */
function classOf(rows: number): number {
  return rows <= 4 ? rows : 4 * Math.ceil(rows / 4);
}

/** 1 for one row, 1.5 for 2 to 4 rows, 2.2 up to 8, 2.9 up to 12, 3.6 up to 16. */
function usual(rows: number): number {
  return 0.8 + 0.7 * Math.ceil(rows / 4);
}
