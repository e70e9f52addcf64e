/**
 * Keeps the end of a scrolling box in view while it grows, unless the reader has scrolled up.
 * @module
 */

/** Pixels from the end that still count as the end. */
const NEAR = 32;

export class Follower {
  readonly #box: HTMLElement;
  readonly #toEnd: HTMLElement;
  #following = true;

  /** @param toEnd a button, shown while the reader is elsewhere */
  constructor(box: HTMLElement, toEnd: HTMLElement) {
    this.#box = box;
    this.#toEnd = toEnd;
    box.addEventListener("scroll", () => this.#look(), { passive: true });
    toEnd.addEventListener("click", () => this.jump());
  }

  /** To be called after the box has grown. */
  grown(): void {
    if (this.#following) this.#box.scrollTop = this.#box.scrollHeight;
  }

  jump(): void {
    this.#follow(true);
    this.grown();
  }

  #look(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#box;
    this.#follow(scrollHeight - scrollTop - clientHeight < NEAR);
  }

  #follow(following: boolean): void {
    this.#following = following;
    this.#toEnd.hidden = following;
  }
}
