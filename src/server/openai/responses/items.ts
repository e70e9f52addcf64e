/**
 * The input items of /v1/responses as messages of a chat.
 * @module
 */
import { Fields, invalid } from "../../../base/fields.ts";
import { MAX_MESSAGES } from "../../../engine/request/messages.ts";
import type { Body } from "../../engine-calls.ts";

const ROLES = ["user", "assistant", "system", "developer"] as const;
const MAX_PARTS = 1024;

/** @throws NibbleError `invalid_request` that names the field */
export function readItems(fields: Fields): Body[] {
  const items = fields.array("input", MAX_MESSAGES);
  if (!items || items.length === 0) throw fields.invalid("input", `a string or 1 to ${MAX_MESSAGES} items`, items);
  const messages: Body[] = [];
  for (const [i, item] of items.entries()) {
    const message = readItem(item, `input[${i}]`);
    const before = messages.at(-1);
    // Reasoning, text and calls of one turn come as items of their own; a chat template wants them as one message.
    if (message.role === "assistant" && before?.role === "assistant")
      messages[messages.length - 1] = merge(before, message);
    else messages.push(message);
  }
  return messages;
}

function merge(a: Body, b: Body): Body {
  const text = (key: string): string => `${a[key] ?? ""}${b[key] ?? ""}`;
  const calls = [a, b].flatMap((one) => (one.tool_calls ?? []) as unknown[]);
  return {
    role: "assistant",
    content: text("content"),
    ...(text("reasoning_content") && { reasoning_content: text("reasoning_content") }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

const READERS: ReadonlyMap<unknown, (item: unknown, name: string) => Body> = new Map([
  ["message", readMessage],
  ["function_call", readCall],
  ["function_call_output", readCallOutput],
  ["reasoning", readReasoning],
]);

function readItem(item: unknown, name: string): Body {
  const type = typeof item === "object" && item !== null ? ((item as { type?: unknown }).type ?? "message") : undefined;
  const read = READERS.get(type);
  if (read) return read(item, name);
  throw invalid(`${name}.type`, [...READERS.keys()].map((known) => `"${known}"`).join(" or "), type);
}

function readMessage(item: unknown, name: string): Body {
  const fields = new Fields(item, ["type", "id", "role", "content", "status", "phase"], name);
  const role = fields.oneOf("role", ROLES);
  if (role === undefined) throw fields.invalid("role", `one of ${ROLES.join(", ")}`, role);
  return { role, content: readParts(fields, "content", ["input_text", "output_text"]) };
}

function readCall(item: unknown, name: string): Body {
  const fields = new Fields(item, ["type", "id", "call_id", "name", "arguments", "status"], name);
  const [id, tool, text] = ["call_id", "name", "arguments"].map((key) => requiredString(fields, key));
  const call = { id, type: "function", function: { name: tool, arguments: text } };
  return { role: "assistant", content: "", tool_calls: [call] };
}

function readCallOutput(item: unknown, name: string): Body {
  const fields = new Fields(item, ["type", "id", "call_id", "output", "status"], name);
  const id = requiredString(fields, "call_id");
  return { role: "tool", tool_call_id: id, content: readParts(fields, "output", ["input_text"]) };
}

function readReasoning(item: unknown, name: string): Body {
  const fields = new Fields(item, ["type", "id", "summary", "content", "encrypted_content", "status"], name);
  fields.array("summary", MAX_PARTS);
  const given = fields.get("content") !== undefined;
  const reasoning = given ? readParts(fields, "content", ["reasoning_text"]) : "";
  return { role: "assistant", content: "", reasoning_content: reasoning };
}

/** A string, or text parts of these types joined. */
function readParts(fields: Fields, key: string, types: readonly string[]): string {
  const value = fields.get(key);
  if (typeof value === "string") return value;
  if (!Array.isArray(value) || value.length > MAX_PARTS) throw fields.invalid(key, "a string or parts of text", value);
  return value
    .map((part, i) => {
      const inner = new Fields(part, ["type", "text", "annotations", "logprobs"], `${fields.param(key)}[${i}]`);
      if (inner.oneOf("type", types) === undefined) throw inner.invalid("type", types.join(" or "), undefined);
      return requiredString(inner, "text");
    })
    .join("");
}

function requiredString(fields: Fields, key: string): string {
  const value = fields.string(key, Infinity);
  if (value === undefined) throw fields.invalid(key, "a string", value);
  return value;
}
