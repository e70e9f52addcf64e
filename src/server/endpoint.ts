/**
 * The four kinds of endpoints: facts about the server, quick calls of a model, computations that take a slot, and
 * generated answers.
 * @module
 */
import { invalid } from "../base/fields.ts";
import type { Model } from "../engine/model.ts";
import { answer, computed, type Prepared } from "./answer.ts";
import { type Asked, type Call, callOf } from "./call.ts";
import type { ServedModel } from "./models/served-model.ts";
import type { Exchange, Route } from "./route.ts";

type Respond = Route["respond"];

/** Facts about the server itself. */
export function facts(make: (exchange: Exchange) => object | Promise<object>): Respond {
  return async (exchange) => Response.json(await make(exchange));
}

/** Facts about the model that the query names (`?model=NAME`). */
export function modelFacts(make: (model: Model, exchange: Exchange) => object): Respond {
  return async (exchange) => {
    const name = exchange.url.searchParams.get("model");
    const served = await exchange.server.models.meant({ model: name });
    return withModel({ served, body: undefined, exchange }, ({ model }) => make(model, exchange));
  };
}

/**
 * A call that is over soon, such as tokenizing. Answers do not keep it waiting, and it does not wait for their slots: such
 * calls have slots and a queue of their own.
 */
export function quick(make: (call: Call) => object | Promise<object>): Respond {
  return async (exchange) => {
    const { quickly } = exchange.server;
    quickly.check();
    return computed((call) => async () => make(call), await readAsked(exchange), quickly);
  };
}

async function withModel(asked: Asked, make: (call: Call) => object | Promise<object>): Promise<Response> {
  const { models } = asked.exchange.server;
  const lease = await models.acquire(asked.served, asked.exchange.request.signal);
  try {
    return Response.json(await make(callOf(asked, lease)));
  } finally {
    lease.release();
  }
}

/** Finds the model that a body means. */
type FindModel = (exchange: Exchange, body: unknown) => Promise<ServedModel>;

/** A deployment in the path (Azure) comes before the field. */
const byField: FindModel = ({ server, params: { deployment } }, body) =>
  server.models.meant(deployment === undefined ? body : { model: deployment });

/** Finds the model for APIs in which its name is required and an unknown name is an error. */
export const byName: FindModel = async ({ server }, body) => {
  const { model } = (typeof body === "object" && body !== null ? body : {}) as { model?: unknown };
  if (typeof model !== "string" || model === "") throw invalid("model", "a name", model);
  return server.models.named(model);
};

/**
 * A call that computes for a while but generates no text. The body is checked first, by `check`; the function that it
 * returns runs when the request has its slot.
 */
export function computation(
  check: (call: Call) => (signal: AbortSignal) => Promise<object>,
  find: FindModel = byField,
): Respond {
  return async (exchange) => {
    exchange.server.admission.check(exchange.ofBatch);
    return computed(check, await readAsked(exchange, find));
  };
}

/**
 * A generated answer, whole or streamed. `prepare` checks the body and tokenizes its prompt while the request may still
 * be waiting for its slot, so that a wrong request is refused without delay.
 */
export function generation<Chunk extends object>(
  prepare: (call: Call, signal: AbortSignal) => Promise<Prepared<Chunk>>,
  find: FindModel = byField,
): Respond {
  return async (exchange) => {
    exchange.server.admission.check(exchange.ofBatch);
    return answer(prepare, await readAsked(exchange, find));
  };
}

async function readAsked(exchange: Exchange, find: FindModel = byField): Promise<Asked> {
  const body = await exchange.server.readBody(exchange.request);
  return { served: await find(exchange, body), body, exchange };
}
