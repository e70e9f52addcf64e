/**
 * How long steps take by their rows, which decides how many drafted tokens are worth checking.
 * @module
 */
/** Rows beyond this are computed at a constant rate. */
const MOST_ROWS = 32;
/** By how much a known time may grow with every newer one: contexts grow, and machines become busy. */
const DRIFT = 1.02;
/** How much of a time is left after a step of another number of rows. */
const AGING = 0.97;

/** Times of steps that compute the logits of all tokens, and of those that compute some. */
export class Times {
  readonly all: StepTimes;
  readonly some: StepTimes;

  /** @param measured as `StepTimes` takes it */
  constructor(measured: boolean) {
    this.all = new StepTimes(measured);
    this.some = new StepTimes(measured);
  }
}

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

  /**
   * Takes the time of a step in which answers alone ran, unless it has no rows. A clock that stands still (on Workers) tells nothing. Times of other
   * numbers of rows lose weight meanwhile, so that one that was measured before V8 had optimised the kernels, or while the
   * machine was busy, is measured again.
   */
  note(rows: number, milliseconds: number): void {
    if (!this.#measured || milliseconds <= 0 || rows < 1 || rows > MOST_ROWS) return;
    const own = classOf(rows);
    for (const [other, ms] of this.#known) if (other !== own && other !== 1) this.#known.set(other, ms * AGING);
    this.#known.set(own, Math.min(milliseconds, (this.#known.get(own) ?? Infinity) * DRIFT));
  }

  /** The time of a step with this number of rows. */
  of(rows: number): number {
    if (rows <= 1) return rows;
    const one = this.#known.get(1);
    const known = this.#known.get(classOf(rows));
    return one === undefined || known === undefined ? usual(rows) : Math.max(usual(rows), known / one);
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
