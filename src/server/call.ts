/**
 * A request that has reached its endpoint.
 * @module
 */
import type { Model } from "../engine/model.ts";
import type { Lease } from "./models/pool.ts";
import type { ServedModel } from "./models/served-model.ts";
import type { Exchange } from "./route.ts";

/** A request whose body has been read, and whose model has been found. */
export interface Asked {
  readonly served: ServedModel;
  readonly body: unknown;
  readonly exchange: Exchange;
}

/** A request whose model is in memory until the answer ends. */
export interface Call extends Asked {
  /** The model for this caller: others do not reuse what its requests leave in the cache. */
  readonly model: Model;
  readonly lease: Lease;
}

export function callOf(asked: Asked, lease: Lease): Call {
  const { caller, server } = asked.exchange;
  const shares = caller === undefined || server.settings.sharePrefixes;
  return { ...asked, lease, model: shares ? lease.model : lease.model.withCacheSalt(caller) };
}
