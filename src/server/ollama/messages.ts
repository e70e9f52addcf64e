/**
 * Ollama's messages and tools as those of a chat completion.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import type { Fields } from "../../base/fields.ts";
import { MAX_MESSAGES } from "../../engine/request/messages.ts";
import type { Body } from "../body.ts";

/** Models that see images are not supported, so a request with some is refused. */
export const IMAGES = {
  instead: "this server reads text only",
  neutral: (value: unknown): boolean => Array.isArray(value) && value.length === 0,
};

const MESSAGE: FieldTable = {
  known: ["role", "content", "thinking", "tool_calls", "tool_name", "tool_call_id", "name"],
  unsupported: { images: IMAGES },
};
const ROLES = ["system", "user", "assistant", "tool"] as const;
const MAX_CALLS = 128;

/** @throws NibbleError `invalid_request` that names the field */
export function readMessages(fields: Fields): Body[] {
  const messages = fields.array("messages", MAX_MESSAGES) ?? [];
  /** Calls that no result has answered yet, oldest first: Ollama's results need not carry an id. */
  const open: Call[] = [];
  return messages.map((message, i) => readMessage(fields.nested(message, MESSAGE, `messages[${i}]`), open));
}

interface Call {
  readonly id: string;
  readonly name: string;
}

function readMessage(fields: Fields, open: Call[]): Body {
  const role = fields.oneOf("role", ROLES);
  if (role === undefined) throw fields.invalid("role", `one of ${ROLES.join(", ")}`, role);
  const content = fields.string("content", Infinity) ?? "";
  if (role === "tool") return { role, content, tool_call_id: resultId(fields, open) };
  const thinking = fields.string("thinking", Infinity);
  const calls = fields.array("tool_calls", MAX_CALLS)?.map((call, i) => readCall(fields, call, i)) ?? [];
  open.push(...calls.map((call) => ({ id: call.id, name: call.function.name })));
  return {
    role,
    content,
    ...(thinking && { reasoning_content: thinking }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** The id of the call that a result belongs to: named, or else the oldest open one of the tool's name. */
function resultId(fields: Fields, open: Call[]): string {
  const id = fields.string("tool_call_id", 256);
  const name = fields.string("tool_name", 256) ?? fields.string("name", 256);
  const matches = ({ id: callId, name: callName }: Call): boolean =>
    id === undefined ? name === undefined || name === callName : id === callId;
  const index = open.findIndex(matches);
  const [call] = index < 0 ? [] : open.splice(index, 1);
  return id ?? call?.id ?? `call_${name ?? "unknown"}`;
}

const CALL: FieldTable = { known: ["id", "function"], unused: ["type", "index"] };
const FUNCTION: FieldTable = { known: ["name", "arguments"], unused: ["index", "description"] };

function readCall(
  fields: Fields,
  value: unknown,
  i: number,
): { id: string; type: string; function: { name: string; arguments: string } } {
  const call = fields.nested(value, CALL, `tool_calls[${i}]`);
  const inner = call.nested(call.get("function"), FUNCTION, "function");
  const name = inner.string("name", 256);
  const given = inner.get("arguments") ?? {};
  if (name === undefined) throw inner.invalid("name", "a string", name);
  if (typeof given !== "object" || Array.isArray(given)) throw inner.invalid("arguments", "an object", given);
  const id = call.string("id", 256) ?? `call_${fields.param("")}${i}`.replace(/\W+/g, "_");
  return { id, type: "function", function: { name, arguments: JSON.stringify(given) } };
}
