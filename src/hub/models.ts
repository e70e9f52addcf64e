/**
 * The library's view of pulled models.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ModelCache, ModelRecord } from "./cache.ts";
import { type HubSettings, removeModel } from "./hub.ts";
import { type PullProgress, pull } from "./pull.ts";
import { parseReference, type Reference } from "./reference.ts";

/** Options of `models.pull`. */
export interface PullModelOptions {
  /** Is called while files are fetched. */
  readonly onProgress?: (progress: PullProgress) => void;
  /** Ends the pull; what it has fetched is kept for the next attempt. */
  readonly signal?: AbortSignal;
  /** Of the hub, for gated models. Default: HF_TOKEN where there is an environment. */
  readonly token?: string;
}

/** The pulled models of a host. */
export interface Models {
  /**
   * Fetches a model by name, `hf:owner/repo[@revision][:quant]` or https URL, so that `load` finds it. What an interrupted
   * pull left is used.
   * @throws NibbleError `missing_file`, `unauthorized`, `forbidden`, `bad_weights` where a hash differs, `io_error`
   */
  pull(name: string, options?: PullModelOptions): Promise<ModelRecord>;
  /** Complete models. */
  list(): Promise<ModelRecord[]>;
  /** Deletes a model and what interrupted pulls left. False: there was none. */
  remove(name: string): Promise<boolean>;
}

/** Where a host keeps models and whom it asks. */
export interface HubHost {
  readonly cache: ModelCache;
  readonly settings: HubSettings;
}

export function createModels(host: () => Promise<HubHost>): Models {
  return {
    async pull(name, { token, ...options } = {}) {
      const { cache, settings } = await host();
      if (settings.offline) throw new NibbleError("io_error", "expected a network, got NIBBLE_OFFLINE");
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
  throw new NibbleError(
    "invalid_argument",
    `expected a model's name, hf:owner/repo[:quant] or an https URL, got ${name}${name === "crumb" ? ", which is inside the package" : ""}`,
  );
}
