/**
 * Handles errors beside the answers to clients: unexpected errors are reported, and a model that can no longer compute
 * makes the server unhealthy.
 * @module
 */
import { asNibbleError, isInternal } from "./errors.ts";

export class Failures {
  /** Why a model can no longer compute, such as a trap in WebAssembly or a lost thread. */
  poisoned: string | undefined;
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  note(error: unknown): void {
    const known = asNibbleError(error);
    if (known?.code === "poisoned") this.poisoned ??= `a model can answer no more: ${known.message}`;
    if (isInternal(error)) this.#onError(error);
  }
}
