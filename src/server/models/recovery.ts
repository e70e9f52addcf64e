/**
 * Loads a model again that can compute no more, after a trap in WebAssembly or where one of its threads has ended.
 * @module
 */
import type { NibbleError } from "../../base/errors.ts";
import type { Model } from "../../engine/model.ts";
import type { ServedModel } from "./served-model.ts";

/** What became of a model that can compute no more. */
export interface LostModel {
  readonly name: string;
  /** "reloading": it is loaded again; "reloaded": it answers again; "gone": it does not, and will not be loaded again. */
  readonly state: "reloading" | "reloaded" | "gone";
  /** Why it was lost, or why it could not be loaded. */
  readonly error: unknown;
}

export interface RecoverySettings {
  /** How often a model is loaded again within ten minutes. */
  readonly reloads: number;
  readonly onLost: (lost: LostModel) => void;
}

/** A request that traps each time must not keep the server loading for ever. */
const WINDOW_MS = 600_000;
/** The wait before the second attempt; it doubles with each further one. */
const FIRST_WAIT_MS = 1000;

export class Recovery {
  readonly #settings: RecoverySettings;
  readonly #reload: (served: ServedModel) => Promise<void>;

  /** @param reload loads a model that is not in memory. @throws what the loading throws */
  constructor(settings: RecoverySettings, reload: (served: ServedModel) => Promise<void>) {
    this.#settings = settings;
    this.#reload = reload;
  }

  /** Must be called when a model is in memory. */
  watch(served: ServedModel, model: Model): void {
    void model.lost?.then((error) => {
      if (served.model === model) void this.#recover(served, error);
    });
  }

  /** Meanwhile requests for the model wait, as they do while it is loaded for the first time. */
  async #recover(served: ServedModel, error: NibbleError): Promise<void> {
    let why: unknown = error;
    for (let wait = FIRST_WAIT_MS; this.#mayReload(served); wait *= 2) {
      served.failure = { error: why, isReloading: true };
      this.#tell(served, "reloading", why);
      served.reloads.push(Date.now());
      served.unload();
      try {
        await this.#reload(served);
        this.#tell(served, "reloaded", error);
        return;
      } catch (cause) {
        why = cause;
        await new Promise((resolve) => setTimeout(resolve, wait));
        if (served.model) return; // a request has loaded it meanwhile
      }
    }
    served.failure = { error: why, isReloading: false };
    this.#tell(served, "gone", why);
  }

  #mayReload(served: ServedModel): boolean {
    const since = Date.now() - WINDOW_MS;
    served.reloads = served.reloads.filter((time) => time > since);
    return served.isLazy && served.reloads.length < this.#settings.reloads;
  }

  #tell({ name }: ServedModel, state: LostModel["state"], error: unknown): void {
    this.#settings.onLost({ name, state, error });
  }
}
