/**
 * Where a browser keeps pulled models, and the hub that it asks.
 * @module
 */
import type { HubHost } from "../../hub/models.ts";
import { pieceCache } from "../../hub/piece-cache.ts";
import { browserLocks, browserStore } from "./store.ts";

const HUB = "https://huggingface.co";

let opened: Promise<HubHost> | undefined;

export function browserHub(): Promise<HubHost> {
  opened ??= browserStore().then((store) => ({
    cache: pieceCache(store, browserLocks()),
    settings: { endpoint: HUB, tokenOrigin: HUB },
  }));
  return opened;
}
