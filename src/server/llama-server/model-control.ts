/**
 * llama-server's /models/load and /models/unload.
 * @module
 */
import type { ServedModel } from "../models/served-model.ts";
import type { Exchange } from "../route.ts";

async function named({ server, request }: Exchange): Promise<ServedModel> {
  const body = await server.readBody(request);
  const { model } = (typeof body === "object" && body !== null ? body : {}) as { model?: unknown };
  return typeof model === "string" ? server.models.named(model) : server.models.meant(body);
}

export async function loadNamed(exchange: Exchange): Promise<object> {
  const { models } = exchange.server;
  const lease = await models.acquire(await named(exchange), exchange.request.signal);
  lease.release();
  return { success: true };
}

/** A model that answers is dropped when its last answer has ended. */
export async function unloadNamed(exchange: Exchange): Promise<object> {
  const { models } = exchange.server;
  const served = await named(exchange);
  if (!served.model) return { success: true };
  const lease = await models.acquire(served, exchange.request.signal);
  lease.keepAliveMs = 0;
  lease.release();
  return { success: true };
}
