/**
 * The four kinds of endpoints: facts about the server, quick calls of a model, computations that take a slot, and
 * generated answers.
 * @module
 */
import type { Model } from "../engine/model.ts";
import { answer, computed, type Prepared } from "./answer.ts";
import { pickModel } from "./models.ts";
import type { Exchange, Route } from "./route.ts";

/** A request whose body has been read and whose model has been found. */
export interface Call {
  readonly model: Model;
  readonly body: unknown;
  readonly exchange: Exchange;
}

type Respond = Route["respond"];

/** Facts about the server itself. */
export function facts(make: (exchange: Exchange) => object): Respond {
  return (exchange) => Response.json(make(exchange));
}

/** Facts about the model that the query names (`?model=NAME`). */
export function modelFacts(make: (model: Model, exchange: Exchange) => object): Respond {
  return facts((exchange) => {
    const name = exchange.url.searchParams.get("model");
    return make(pickModel(exchange.server.models, { model: name }), exchange);
  });
}

/** A call that is over at once, such as tokenizing: it takes no slot. */
export function quick(make: (call: Call) => object): Respond {
  return async (exchange) => Response.json(make(await readCall(exchange)));
}

/**
 * A call that computes for a while but generates no text. The body is checked at once, by `check`; the function that it
 * returns runs when the request has its slot.
 */
export function computation(check: (call: Call) => (signal: AbortSignal) => Promise<object>): Respond {
  return async (exchange) => {
    exchange.server.admission.check();
    const compute = check(await readCall(exchange));
    return computed(compute, exchange);
  };
}

/**
 * A generated answer, whole or streamed. `prepare` checks the body and tokenizes its prompt while the request may still
 * be waiting for its slot, so that a wrong request is refused without delay.
 */
export function generation<Chunk extends object>(
  prepare: (call: Call, signal: AbortSignal) => Promise<Prepared<Chunk>>,
): Respond {
  return async (exchange) => {
    exchange.server.admission.check();
    const call = await readCall(exchange);
    return answer((signal) => prepare(call, signal), exchange);
  };
}

async function readCall(exchange: Exchange): Promise<Call> {
  const { request, server } = exchange;
  const body = await server.readBody(request);
  return { model: pickModel(server.models, body), body, exchange };
}
