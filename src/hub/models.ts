/**
 * The object `models` of the library: models by name are pulled, listed and removed.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ModelCache, ModelRecord } from "./cache.ts";
import { type HubSettings, removeModel } from "./hub.ts";
import { type PullProgress, pull } from "./pull.ts";
import { parseReference, type Reference } from "./reference.ts";

/** Options of `models.pull`. */
export interface PullModelOptions {
  /** Is called as bytes arrive, and after each file. */
  readonly onProgress?: (progress: PullProgress) => void;
  /** Ends the pull, which rejects with the signal's reason. What has been fetched is kept for the next pull. */
  readonly signal?: AbortSignal;
  /** A token of the hub, for gated models. Default: HF_TOKEN, on hosts with an environment. */
  readonly token?: string;
}

/** The pulled models of a host. */
export interface Models {
  /**
   * Fetches a model by its name, `hf:owner/repo[@revision][:quant]` or https URL, so that `load` finds it. It goes on with
   * the pieces that an interrupted pull left.
   * @throws NibbleError `missing_file`, `unauthorized`, `forbidden`, `bad_weights` where a hash differs, `io_error`
   */
  pull(name: string, options?: PullModelOptions): Promise<ModelRecord>;
  /** The complete models, ordered by id. */
  list(): Promise<ModelRecord[]>;
  /** Deletes a model, and the pieces that interrupted pulls left. Resolves to false if there was no such model. */
  remove(name: string): Promise<boolean>;
}

/** The cache in which a host keeps its models, and its settings for requests to the hub. */
export interface HubHost {
  readonly cache: ModelCache;
  readonly settings: HubSettings;
}

export function createModels(host: () => Promise<HubHost>): Models {
  return {
    async pull(name, { token, ...options } = {}) {
      const { cache, settings } = await host();
      if (settings.offline)
        throw new NibbleError("io_error", "nothing is fetched while offline (NIBBLE_OFFLINE is set)");
      return pull(referenceOf(name), cache, { ...settings, ...options, ...(token !== undefined && { token }) });
    },
    list: async () => (await host()).cache.records(),
    async remove(name) {
      const { cache } = await host();
      const removed = await removeModel(referenceOf(name).id, cache);
      await cache.prune();
      return removed;
    },
  };
}

function referenceOf(name: string): Reference {
  const reference = parseReference(name);
  if (reference) return reference;
  const message =
    name === "crumb"
      ? "crumb is inside the package; it is neither pulled nor removed"
      : `expected a model's name, hf:owner/repo[:quant] or an https URL, got ${name}`;
  throw new NibbleError("invalid_argument", message);
}
