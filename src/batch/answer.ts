/**
 * One request answered in this process, for programs that share requests out by a queue of their own.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { IdentifiedRequest } from "./identity.ts";
import { isObject } from "./request.ts";
import type { Outcome } from "./result.ts";
import { batchServer } from "./server.ts";
import { kindOf } from "./status.ts";

/** What of a request is sent, which is all that a queue has to carry. */
export type SentRequest = Pick<IdentifiedRequest, "url" | "sent">;

/**
 * Answers a request by a handler, such as `createHandler` of `nibble-llm/server` makes.
 * @param signal ends the computation; the promise then rejects with its reason
 * @throws NibbleError `bad_gateway` for a status that another attempt may change (408, 409, 425, 429, 5xx except 501 and
 * 505); queues have attempts of their own. Every other status, such as 400 for a wrong field, is the answer
 */
export async function answerRequest(
  { url, sent }: SentRequest,
  handler: (request: Request) => Promise<Response>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Outcome> {
  const answer = await batchServer({ url: "http://localhost", fetch: handler }).send(url, sent, signal);
  signal.throwIfAborted(); // an aborted request has status 499, which is no answer
  const { status, body } = answer;
  if (kindOf(answer) === "answered") return { status, body };
  const error = isObject(body) && isObject(body.error) ? body.error.message : undefined;
  throw new NibbleError(
    "bad_gateway",
    `status ${status}: ${typeof error === "string" ? error : "there is no message"}`,
  );
}
