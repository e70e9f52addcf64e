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
  readonly model: Model;
  readonly lease: Lease;
}
