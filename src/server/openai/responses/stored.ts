/**
 * Stored responses: finds `previous_response_id`, and answers GET and DELETE /v1/responses/:id.
 * @module
 */
import { NibbleError } from "../../../base/errors.ts";
import { type Fields, unsupported } from "../../../base/fields.ts";
import type { Body } from "../../body.ts";
import type { Exchange } from "../../route.ts";

/** The conversation that `previous_response_id` names. @throws NibbleError `invalid_request` where it is not kept */
export function previousMessages(fields: Fields, { server, caller }: Exchange): readonly Body[] {
  const param = "previous_response_id";
  const id = fields.string(param, 256);
  if (id === undefined) return [];
  if (!server.conversations.keeps) throw unsupported(param, "this field", "send the whole conversation in `input`");
  const stored = server.conversations.get(id, caller);
  if (stored) return stored.messages;
  const message = `${param}: the response ${JSON.stringify(id.slice(0, 100))} is not kept (any more); send the whole conversation in \`input\``;
  throw new NibbleError("invalid_request", message, { param });
}

/** GET /v1/responses/:id. @throws NibbleError `not_found` */
export function storedResponse({ server, params, caller }: Exchange): object {
  return (server.conversations.get(params.id!, caller) ?? notKept(params.id!)).answer;
}

/** DELETE /v1/responses/:id. @throws NibbleError `not_found` */
export function deleteResponse({ server, params, caller }: Exchange): object {
  if (!server.conversations.delete(params.id!, caller)) notKept(params.id!);
  return { id: params.id, object: "response", deleted: true };
}

function notKept(id: string): never {
  throw new NibbleError("not_found", `there is no response ${JSON.stringify(id.slice(0, 100))} here`);
}
