/**
 * Threads of /v1/messages: with `thread: { type: "create" }` the server keeps the conversation under the id of its answer;
 * with `{ type: "continue", previous_message_id }` a request sends only the new messages. `system` and `tools` are those
 * that the thread was created with. Source: `BetaMessageThreadParam` of Anthropic's SDK 2.14.
 * @module
 */
import { NibbleError } from "../../../base/errors.ts";
import { conflict, type Fields } from "../../../base/fields.ts";
import type { Conversation } from "../../conversation-store.ts";
import type { Exchange } from "../../route.ts";
import { THREAD_FIELDS } from "./field-tables.ts";

export interface Thread {
  /** The answer is kept for a request that continues the conversation. */
  readonly keep: boolean;
  /** The conversation that the request continues. */
  readonly previous?: Conversation;
}

/** @throws NibbleError `not_found` for a conversation that is not kept, `invalid_request` that names the field */
export function readThread(fields: Fields, { server, caller }: Exchange): Thread {
  const value = fields.get("thread");
  if (value === undefined) return { keep: false };
  const thread = fields.nested(value, THREAD_FIELDS, "thread");
  const type = thread.oneOf("type", ["create", "continue"]);
  if (type === undefined) throw thread.invalid("type", '"create" or "continue"', type);
  const keep = server.conversations.keeps;
  if (type === "create") return { keep };
  const id = thread.string("previous_message_id", 256);
  if (id === undefined) throw thread.invalid("previous_message_id", "the id of an answer", id);
  for (const field of ["system", "tools"])
    if (fields.get(field) !== undefined)
      throw conflict(field, 'thread.type "continue"', `the thread keeps the ${field} that it was created with`);
  const previous = server.conversations.get(id, caller);
  if (previous) return { keep, previous };
  const param = thread.param("previous_message_id");
  const message = `${param}: the answer ${JSON.stringify(id.slice(0, 100))} is not kept; send the whole conversation with thread.type "create"`;
  throw new NibbleError("not_found", message, { param });
}
