/**
 * The cache in which a browser keeps pulled models, and the settings of the hub.
 * @module
 */
import type { HubHost } from "../../hub/models.ts";
import { pieceCache } from "../../hub/piece-cache.ts";
import { browserLocks, browserStore } from "./store.ts";

const HUB = "https://huggingface.co";

let opened: Promise<HubHost> | undefined;

/** The cache and the settings. The storage is opened once. */
export function browserHub(): Promise<HubHost> {
  opened ??= browserStore().then((store) => ({
    cache: pieceCache(store, browserLocks()),
    settings: { endpoint: HUB, tokenOrigin: HUB },
  }));
  return opened;
}
