/**
 * The input items of /v1/responses as messages of a chat.
 * @module
 */
import { type Fields, invalid, unsupported } from "../../../base/fields.ts";
import { MAX_MESSAGES } from "../../../engine/request/messages.ts";
import type { Body } from "../../body.ts";
import {
  CALL_FIELDS,
  CUSTOM_CALL_FIELDS,
  MESSAGE_FIELDS,
  OUTPUT_FIELDS,
  PART_FIELDS,
  REASONING_ITEM_FIELDS,
  REFUSAL_FIELDS,
} from "./field-tables.ts";
import { decodeReasoning } from "./reasoning-text.ts";
import { CUSTOM_ARGUMENT } from "./tools.ts";

const ROLES = ["user", "assistant", "system", "developer"] as const;
const MAX_PARTS = 1024;

/** Reports that an item is ignored. */
type Skip = (what: string, why: string) => void;

/** @throws NibbleError `invalid_request` that names the field */
export function readInput(request: Fields, skip: Skip): Body[] {
  const input = request.get("input");
  if (typeof input === "string") return [{ role: "user", content: input }];
  const items = request.array("input", MAX_MESSAGES);
  if (!items || items.length === 0) throw request.invalid("input", `a string or 1 to ${MAX_MESSAGES} items`, items);
  const messages: Body[] = [];
  for (let i = 0; i < items.length; i++) {
    const message = readItem(request, items[i], { place: `input[${i}]`, skip });
    const before = messages.at(-1);
    if (!message) continue;
    // Reasoning, text and calls of one turn come as items of their own; a chat template wants them as one message.
    if (message.role === "assistant" && before?.role === "assistant")
      messages[messages.length - 1] = mergeTurns(before, message);
    else messages.push(message);
  }
  if (messages.length === 0) throw request.invalid("input", "an item that the model can be shown", null);
  return messages;
}

export function mergeTurns(a: Body, b: Body): Body {
  const text = (key: string): string => `${a[key] ?? ""}${b[key] ?? ""}`;
  const calls = [a, b].flatMap((one) => (one.tool_calls ?? []) as unknown[]);
  return {
    role: "assistant",
    content: text("content"),
    ...(text("reasoning_content") && { reasoning_content: text("reasoning_content") }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

type ReadItem = (request: Fields, item: unknown, place: string) => Body;

const READERS: ReadonlyMap<unknown, ReadItem> = new Map([
  ["message", readMessage],
  ["function_call", readCall],
  ["custom_tool_call", readCustomCall],
  ["function_call_output", readOutput],
  ["custom_tool_call_output", readOutput],
  ["reasoning", readReasoning],
]);

/** Items that stand for text which is not in the request. */
const ELSEWHERE = ["item_reference", "compaction", "compaction_summary", "context_compaction"];

function readItem(request: Fields, item: unknown, { place, skip }: { place: string; skip: Skip }): Body | undefined {
  const type = typeof item === "object" && item !== null ? ((item as { type?: unknown }).type ?? "message") : undefined;
  const read = READERS.get(type);
  if (read) return read(request, item, place);
  if (typeof type !== "string") throw invalid(`${place}.type`, "the name of a type", type);
  const what = `an item of type ${JSON.stringify(type.slice(0, 60))}`;
  if (ELSEWHERE.includes(type)) throw unsupported(`${place}.type`, what, "send the items that it stands for");
  skip(place, `${what} is not shown to the model`);
  return undefined;
}

function readMessage(request: Fields, item: unknown, place: string): Body {
  const fields = request.nested(item, MESSAGE_FIELDS, place);
  const role = fields.oneOf("role", ROLES);
  if (role === undefined) throw fields.invalid("role", `one of ${ROLES.join(", ")}`, role);
  return { role, content: readParts(fields, "content") };
}

function readCall(request: Fields, item: unknown, place: string): Body {
  const fields = request.nested(item, CALL_FIELDS, place);
  return callMessage(fields, requiredString(fields, "arguments"));
}

function readCustomCall(request: Fields, item: unknown, place: string): Body {
  const fields = request.nested(item, CUSTOM_CALL_FIELDS, place);
  return callMessage(fields, JSON.stringify({ [CUSTOM_ARGUMENT]: requiredString(fields, "input") }));
}

function callMessage(fields: Fields, text: string): Body {
  const [id, name] = ["call_id", "name"].map((key) => requiredString(fields, key));
  const call = { id, type: "function", function: { name, arguments: text } };
  return { role: "assistant", content: "", tool_calls: [call] };
}

function readOutput(request: Fields, item: unknown, place: string): Body {
  const fields = request.nested(item, OUTPUT_FIELDS, place);
  return { role: "tool", tool_call_id: requiredString(fields, "call_id"), content: readParts(fields, "output") };
}

/** Reasoning as this server gave it: as text, or within `encrypted_content`. */
function readReasoning(request: Fields, item: unknown, place: string): Body {
  const fields = request.nested(item, REASONING_ITEM_FIELDS, place);
  const given = fields.get("content") !== undefined;
  const reasoning = given
    ? readParts(fields, "content")
    : decodeReasoning(fields.string("encrypted_content", Infinity));
  return { role: "assistant", content: "", reasoning_content: reasoning };
}

const TEXT_PARTS: readonly unknown[] = ["input_text", "output_text", "text", "reasoning_text", "summary_text"];

/** A string, or parts of text joined. */
function readParts(fields: Fields, key: string): string {
  const value = fields.get(key);
  if (typeof value === "string") return value;
  if (!Array.isArray(value) || value.length > MAX_PARTS) throw fields.invalid(key, "a string or parts of text", value);
  return Array.from(value, (part, i) => readPart(fields, part, `${key}[${i}]`)).join("");
}

function readPart(parent: Fields, part: unknown, place: string): string {
  const type = typeof part === "object" && part !== null ? (part as { type?: unknown }).type : undefined;
  if (type === "refusal") return requiredString(parent.nested(part, REFUSAL_FIELDS, place), "refusal");
  if (TEXT_PARTS.includes(type)) return requiredString(parent.nested(part, PART_FIELDS, place), "text");
  const param = `${parent.param(place)}.type`;
  if (typeof type !== "string") throw invalid(param, '"input_text" or "output_text"', type);
  const what = `content of type ${JSON.stringify(type.slice(0, 60))}`;
  throw unsupported(param, what, "send text, which is all that the models here read");
}

function requiredString(fields: Fields, key: string): string {
  const value = fields.string(key, Infinity);
  if (value === undefined) throw fields.invalid(key, "a string", value);
  return value;
}
