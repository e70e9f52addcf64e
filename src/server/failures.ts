/**
 * Reports unexpected errors, which clients only see as "internal error".
 * @module
 */
import { isInternal } from "./errors.ts";

export class Failures {
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  note(error: unknown): void {
    if (isInternal(error)) this.#onError(error);
  }
}
