/**
 * llama-server's /health and /metrics.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { asNibbleError } from "../errors.ts";
import type { Metric } from "../metrics.ts";
import type { Exchange, ServerState } from "../route.ts";

/**
 * @throws NibbleError `shutting_down`; `poisoned` while a model that has failed is loaded again, and for good where it is
 * not, so that a supervisor restarts the server
 */
export function health({ server: { admission, models } }: Exchange): object {
  if (admission.closed) throw new NibbleError("shutting_down", "the server is shutting down");
  const failed = models.models.find(({ failure }) => failure);
  if (!failed?.failure) return { status: "ok" };
  const { error, isReloading } = failed.failure;
  const state = isReloading ? "it is being loaded again" : "it can answer no more";
  throw new NibbleError("poisoned", `${failed.name}: ${asNibbleError(error)?.message ?? "it failed"}; ${state}`);
}

/** Prometheus' text format. */
export function metricsPage({ server }: Exchange): Response {
  const text = server.metrics.text([...serverGauges(server), ...modelGauges(server)]);
  const headers = {
    "content-type": "text/plain; version=0.0.4; charset=utf-8",
    "process-start-time-unix": String(Math.floor(performance.timeOrigin / 1000)),
  };
  return new Response(text, { headers });
}

function serverGauges({ admission: { active, queued } }: ServerState): Metric[] {
  return [
    ["nibble_slots_busy", "Slots that are taken.", active],
    ["nibble_requests_queued", "Requests that wait for a slot.", queued],
    ["llamacpp:requests_processing", "Number of requests processing.", active],
    ["llamacpp:requests_deferred", "Number of requests deferred.", queued],
  ];
}

/** Sums over the models in memory. */
function modelGauges({ models }: ServerState): Metric[] {
  const loads = models.loaded.map((model) => model.stats());
  const sum = (field: "requests" | "usedPages" | "cachedPages"): number =>
    loads.reduce((total, load) => total + load[field], 0);
  const used = "Pages of the key-value cache that hold tokens of requests and sessions.";
  const cached = "Pages of the key-value cache that keep tokens of ended requests for later ones.";
  return [
    ["nibble_requests_running", "Requests in the engine.", sum("requests")],
    ["nibble_kv_pages_used", used, sum("usedPages")],
    ["nibble_kv_pages_cached", cached, sum("cachedPages")],
  ];
}
