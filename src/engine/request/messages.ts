/**
 * The messages of a chat request, and the variables of its template.
 * @module
 */
import { Fields, invalid } from "../../base/fields.ts";
import type { ChatMessage } from "../../chat/template.ts";
import { checkCalls } from "./tools.ts";

const FIELDS = ["role", "content", "name", "reasoning_content", "tool_calls", "tool_call_id"];
/** OpenAI's roles. */
const ROLES = ["system", "developer", "user", "assistant", "tool"] as const;

export const MAX_MESSAGES = 1024;
const MAX_CALLS = 128;
const MAX_VARIABLES = 16;

/** @throws NibbleError `invalid_request` with `param` */
export function checkMessages(messages: readonly unknown[] | undefined): ChatMessage[] {
  if (messages === undefined || messages.length === 0) {
    throw invalid("messages", `1 to ${MAX_MESSAGES} messages`, messages);
  }
  return messages.map((message, i) => {
    const fields = new Fields(message, FIELDS, `messages[${i}]`);
    const role = fields.oneOf("role", ROLES);
    if (role === undefined) throw fields.invalid("role", `one of ${ROLES.join(", ")}`, role);
    const checked: Record<string, unknown> = { role };
    for (const key of ["name", "reasoning_content", "tool_call_id"]) {
      const value = fields.string(key, Infinity);
      if (value !== undefined) checked[key] = value;
    }
    const calls = fields.array("tool_calls", MAX_CALLS);
    if (calls !== undefined && calls.length > 0) checked.tool_calls = checkCalls(calls, fields.param("tool_calls"));
    checked.content = checkContent(fields, role === "assistant");
    return checked as unknown as ChatMessage;
  });
}

function checkContent(fields: Fields, optional: boolean): string {
  const content = fields.get("content");
  const param = fields.param("content");
  if (typeof content === "string") return content;
  if (content === undefined && optional) return "";
  if (!Array.isArray(content)) throw invalid(param, "a string or an array of text parts", content);
  return content.map((part, i) => checkPart(part, `${param}[${i}]`)).join("");
}

function checkPart(part: unknown, name: string): string {
  const fields = new Fields(part, ["type", "text"], name);
  if (fields.oneOf("type", ["text"]) === undefined) throw fields.invalid("type", '"text"', undefined);
  const text = fields.string("text", Infinity);
  if (text === undefined) throw fields.invalid("text", "a string", text);
  return text;
}

/** Variables of a chat template. @throws NibbleError `invalid_request` with `param` */
export function checkVariables(value: unknown): ReadonlyMap<string, unknown> {
  if (value === undefined) return new Map();
  const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (names.length > MAX_VARIABLES) throw invalid("chat_template_kwargs", `at most ${MAX_VARIABLES} variables`, value);
  const fields = new Fields(value, names, "chat_template_kwargs");
  return new Map(
    names.map((name) => {
      const variable = fields.get(name);
      if (["string", "number", "boolean", "undefined"].includes(typeof variable)) return [name, variable ?? null];
      throw invalid(fields.param(name), "a string, number or boolean", variable);
    }),
  );
}
