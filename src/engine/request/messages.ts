/**
 * The messages of a chat request, and the variables of its template.
 * @module
 */
import { type Fields, invalid, unsupported } from "../../base/fields.ts";
import type { ChatMessage } from "../../chat/template.ts";
import { MESSAGE_FIELDS, REFUSAL_PART_FIELDS, TEXT_PART_FIELDS } from "./field-tables.ts";
import { checkCalls, checkOlderCall } from "./tools.ts";

/** OpenAI's roles. */
const ROLES = ["system", "developer", "user", "assistant", "tool"] as const;

export const MAX_MESSAGES = 1024;
const MAX_CALLS = 128;
const MAX_VARIABLES = 64;
const MAX_DOCUMENTS = 1024;

/** The field `messages`. @throws NibbleError `invalid_request` with `param` */
export function checkMessages(fields: Fields): ChatMessage[] {
  const messages = fields.array("messages", MAX_MESSAGES);
  if (messages === undefined || messages.length === 0)
    throw fields.invalid("messages", `1 to ${MAX_MESSAGES} messages`, messages);
  return messages.map((message, i) => checkMessage(fields.nested(message, MESSAGE_FIELDS, `messages[${i}]`)));
}

function checkMessage(fields: Fields): ChatMessage {
  // "function" is OpenAI's older name of the role of results.
  const role = fields.get("role") === "function" ? "tool" : fields.oneOf("role", ROLES);
  if (role === undefined) throw fields.invalid("role", `one of ${ROLES.join(", ")}`, role);
  const checked: Record<string, unknown> = { role };
  for (const key of ["name", "tool_call_id"]) {
    const value = fields.string(key, Infinity);
    if (value !== undefined) checked[key] = value;
  }
  // vLLM and others call the same field `reasoning`.
  const reasoning = fields.string("reasoning_content", Infinity) ?? fields.string("reasoning", Infinity);
  if (reasoning !== undefined) checked.reasoning_content = reasoning;
  const calls = fields.array("tool_calls", MAX_CALLS);
  const call = fields.get("function_call");
  if (calls !== undefined && calls.length > 0) checked.tool_calls = checkCalls(fields, calls);
  else if (call !== undefined) checked.tool_calls = checkOlderCall(fields, call);
  const refusal = fields.string("refusal", Infinity);
  // An assistant that calls tools may say nothing, and a tool may return nothing.
  checked.content = checkContent(fields, role === "assistant" || role === "tool") || (refusal ?? "");
  return checked as unknown as ChatMessage;
}

function checkContent(fields: Fields, optional: boolean): string {
  const content = fields.get("content");
  const param = fields.param("content");
  if (typeof content === "string") return content;
  if (content === undefined && optional) return "";
  if (!Array.isArray(content)) throw invalid(param, "a string or an array of text parts", content);
  return Array.from(content, (part, i) => checkPart(fields, part, `content[${i}]`)).join("");
}

const TEXT_TYPES: readonly unknown[] = ["text", "input_text", "output_text"];

function checkPart(fields: Fields, part: unknown, name: string): string {
  if (typeof part === "string") return part; // as in vLLM
  const type = typeof part === "object" && part !== null ? (part as { type?: unknown }).type : undefined;
  if (type === "refusal") return requiredText(fields.nested(part, REFUSAL_PART_FIELDS, name), "refusal");
  if (typeof type === "string" && !TEXT_TYPES.includes(type))
    throw unsupported(
      `${fields.param(name)}.type`,
      `content of type ${JSON.stringify(type.slice(0, 40))}`,
      "send text, which is all that the models here read",
    );
  const inner = fields.nested(part, TEXT_PART_FIELDS, name);
  if (inner.string("type", 64) === undefined) throw inner.invalid("type", '"text"', undefined);
  return requiredText(inner, "text");
}

function requiredText(fields: Fields, key: string): string {
  const text = fields.string(key, Infinity);
  if (text === undefined) throw fields.invalid(key, "a string", text);
  return text;
}

/** Variables that have fields of their own, which not every template reads. */
export interface OwnVariables {
  readonly enable_thinking?: boolean;
  /** For templates of models that answer from documents. */
  readonly documents?: readonly unknown[];
}

export function checkOwnVariables(fields: Fields): OwnVariables {
  const thinking = fields.boolean("enable_thinking");
  const documents = fields.array("documents", MAX_DOCUMENTS);
  return {
    ...(thinking !== undefined && { enable_thinking: thinking }),
    ...(documents !== undefined && documents.length > 0 && { documents }),
  };
}

/**
 * The field `chat_template_kwargs`: variables of the chat template, any JSON values.
 * @throws NibbleError `invalid_request` with `param`
 */
export function checkVariables(fields: Fields): ReadonlyMap<string, unknown> {
  const value = fields.get("chat_template_kwargs") ?? {};
  const names = typeof value === "object" ? Object.keys(value) : [];
  if (names.length > MAX_VARIABLES)
    throw fields.invalid("chat_template_kwargs", `at most ${MAX_VARIABLES} variables`, value);
  const given = fields.nested(value, names, "chat_template_kwargs");
  const variables = new Map(names.map((name) => [name, given.get(name) ?? null]));
  for (const [name, variable] of variables)
    if (!["string", "number", "boolean", "object"].includes(typeof variable))
      throw given.invalid(name, "a JSON value", variable);
  return variables;
}
