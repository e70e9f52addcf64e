/**
 * What becomes of errors besides the answer that tells of them: unexpected ones are reported, and a model that can compute
 * no more makes the server unhealthy.
 * @module
 */
import { asNibbleError, isInternal } from "./errors.ts";

export class Failures {
  /** Why a model can answer no more: a trap in WebAssembly, or a thread that is gone. */
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
