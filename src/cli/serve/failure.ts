/**
 * What `nibble serve` says and does where a model can compute no more.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { LostModel } from "../../server/models/recovery.ts";
import { note } from "../output.ts";

export class Failure {
  /** Rejects when a model is gone for good, so that the process ends and a supervisor starts it again. */
  readonly happened: Promise<never>;
  #reject!: (error: NibbleError) => void;

  constructor() {
    this.happened = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.happened.catch(() => {}); // it may happen before anyone waits for it
  }

  note({ name, state, error }: LostModel): void {
    const why = error instanceof Error ? error.message : String(error);
    if (state === "reloading") note(`nibble: ${name}: ${why}; it is loaded again`);
    else if (state === "reloaded") note(`nibble: ${name} answers again`);
    else this.#reject(new NibbleError("poisoned", `${name}: ${why}; it can answer no more`, { cause: error }));
  }
}
