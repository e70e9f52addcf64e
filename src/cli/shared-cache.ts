/**
 * Loads models whose key-value cache holds several conversations at once.
 * @module
 */
import type { Model } from "../engine/model.ts";
import { nodeHost } from "../hosts/node/host.ts";
import { createLoad, createPlan } from "../load/create-load.ts";
import type { LoadOptions } from "../load/options.ts";

/**
 * Number of full contexts that fit the cache. If only one fitted, long conversations would wait for each other, or evict
 * each other at every turn.
 */
export const CACHED_CONTEXTS = 4;

/** Loads a model. Unless the options give `cacheTokens`, its cache holds this number of full contexts. */
export async function loadWithContexts(source: string, options: LoadOptions, contexts: number): Promise<Model> {
  const { contextLength } = await createPlan(nodeHost)(source, options);
  return createLoad(nodeHost)(source, { cacheTokens: contexts * contextLength, ...options });
}
