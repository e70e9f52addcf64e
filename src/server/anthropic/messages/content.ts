/**
 * The messages of /v1/messages, whose content is made of blocks, as messages of a chat.
 * @module
 */
import { Fields, invalid } from "../../../base/fields.ts";
import type { Body } from "../../engine-calls.ts";
import { checkCacheControl } from "./cache-control.ts";

export const MAX_BLOCKS = 1024;

/** @throws NibbleError `invalid_request` that names the field */
export function readMessage(value: unknown, name: string): Body[] {
  const fields = new Fields(value, ["role", "content"], name);
  const role = fields.oneOf("role", ["user", "assistant", "system"]);
  if (role === undefined) throw fields.invalid("role", '"user" or "assistant"', role);
  if (role === "system") return [{ role, content: readTexts(fields, "content") ?? "" }];
  const content = fields.get("content");
  if (typeof content === "string") return [{ role, content }];
  const blocks = fields.array("content", MAX_BLOCKS);
  if (blocks === undefined) throw fields.invalid("content", "a string or an array of blocks", content);
  const param = (i: number): string => `${fields.param("content")}[${i}]`;
  return role === "user" ? readUserBlocks(blocks, param) : [readAssistantBlocks(blocks, param)];
}

/** Results of tools are messages of their own, as the engine's templates take them. */
function readUserBlocks(blocks: readonly unknown[], param: (i: number) => string): Body[] {
  const messages: Body[] = [];
  let text: string | undefined;
  for (const [i, value] of blocks.entries()) {
    const type = blockType(value, param(i), ["text", "tool_result"]);
    if (type === "text") {
      text = (text ?? "") + readText(value, param(i));
      continue;
    }
    if (text !== undefined) messages.push({ role: "user", content: text });
    text = undefined;
    const fields = new Fields(value, ["type", "tool_use_id", "content", "is_error", "cache_control"], param(i));
    checkCacheControl(fields);
    fields.boolean("is_error");
    const id = fields.string("tool_use_id", 256);
    if (id === undefined) throw fields.invalid("tool_use_id", "a string", id);
    messages.push({ role: "tool", tool_call_id: id, content: readTexts(fields, "content") ?? "" });
  }
  if (text !== undefined || messages.length === 0) messages.push({ role: "user", content: text ?? "" });
  return messages;
}

function readAssistantBlocks(blocks: readonly unknown[], param: (i: number) => string): Body {
  let content = "";
  let reasoning = "";
  const calls: object[] = [];
  for (const [i, value] of blocks.entries()) {
    const type = blockType(value, param(i), ["text", "thinking", "redacted_thinking", "tool_use"]);
    if (type === "text") content += readText(value, param(i));
    else if (type === "thinking") {
      const fields = new Fields(value, ["type", "thinking", "signature"], param(i));
      fields.string("signature", Infinity);
      reasoning += fields.string("thinking", Infinity) ?? "";
    } else if (type === "tool_use") calls.push(readToolUse(value, param(i)));
  }
  return {
    role: "assistant",
    content,
    ...(reasoning && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function readToolUse(value: unknown, name: string): object {
  const fields = new Fields(value, ["type", "id", "name", "input", "caller", "cache_control"], name);
  checkCacheControl(fields);
  const id = fields.string("id", 256);
  const tool = fields.string("name", 256);
  const input = fields.get("input") ?? {};
  if (id === undefined) throw fields.invalid("id", "a string", id);
  if (tool === undefined) throw fields.invalid("name", "a string", tool);
  if (typeof input !== "object" || Array.isArray(input)) throw fields.invalid("input", "an object", input);
  return { id, type: "function", function: { name: tool, arguments: JSON.stringify(input) } };
}

function blockType<T extends string>(value: unknown, name: string, types: readonly T[]): T {
  const type = typeof value === "object" && value !== null ? (value as { type?: unknown }).type : undefined;
  const found = types.find((one) => one === type);
  if (found !== undefined) return found;
  throw invalid(`${name}.type`, types.map((one) => `"${one}"`).join(" or "), type);
}

function readText(value: unknown, name: string): string {
  const fields = new Fields(value, ["type", "text", "citations", "cache_control"], name);
  checkCacheControl(fields);
  fields.array("citations", MAX_BLOCKS);
  const text = fields.string("text", Infinity);
  if (text === undefined) throw fields.invalid("text", "a string", text);
  return text;
}

/** A string, or blocks of text joined. */
export function readTexts(fields: Fields, key: string): string | undefined {
  const value = fields.get(key);
  if (value === undefined || typeof value === "string") return value;
  if (!Array.isArray(value) || value.length > MAX_BLOCKS) throw fields.invalid(key, "a string or text blocks", value);
  const name = (i: number): string => `${fields.param(key)}[${i}]`;
  return value.map((block, i) => blockType(block, name(i), ["text"]) && readText(block, name(i))).join("");
}
