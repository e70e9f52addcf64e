/**
 * How many requests one server gets at the same time.
 * @module
 */

/** Requests that a server gets at first. */
const FIRST = 4;
/** Requests per slot: while one is computed, the next one has arrived and its prompt is checked. */
const PER_SLOT = 2;

/**
 * Grows while the server accepts what it gets: by one with each answer at first, so that it doubles with each round, and after
 * the first refusal by one with each round. A refusal sets it to what the server had accepted (compare the additive increase
 * of TCP, RFC 5681, section 3.1). It never exceeds twice the slots that a server names, since further requests would only wait
 * in its queue, and would have to be asked again if it died.
 */
export class InFlightLimit {
  readonly #most: number;
  #bound: number;
  #value: number;
  #refused = false;

  /** @param most the largest limit */
  constructor(most: number) {
    this.#most = most;
    this.#bound = most;
    this.#value = Math.min(FIRST, most);
  }

  get value(): number {
    return Math.floor(this.#value);
  }

  /** Begins again. @param slots answers that the server computes at once, where it says so */
  restart(slots: number | undefined): void {
    this.#bound = slots === undefined ? this.#most : Math.min(this.#most, PER_SLOT * slots);
    this.#value = slots === undefined ? Math.min(FIRST, this.#bound) : this.#bound;
    this.#refused = false;
  }

  /** @param inFlight requests that the server had when the answered one was among them */
  accepted(inFlight: number): void {
    if (inFlight < this.value) return; // the limit did not hold anything back
    this.#value = Math.min(this.#bound, this.#value + (this.#refused ? 1 / this.#value : 1));
  }

  /** @param inFlight requests that the server keeps */
  refused(inFlight: number): void {
    this.#refused = true;
    this.#value = Math.max(1, Math.min(this.#value, inFlight));
  }
}
