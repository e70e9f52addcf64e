/**
 * Turns the messages of /v1/messages into messages of a chat.
 * @module
 */
import type { Fields } from "../../../base/fields.ts";
import type { Body } from "../../body.ts";
import { blockType, MAX_BLOCKS, readBlockText, readTexts, requiredText } from "./block-text.ts";
import { MESSAGE_FIELDS, THINKING_BLOCK_FIELDS, TOOL_RESULT_FIELDS, TOOL_USE_FIELDS } from "./field-tables.ts";

/** Reports that a block is ignored. */
export type Skip = (what: string, why: string) => void;

/** @throws NibbleError `invalid_request` that names the field */
export function readMessage(request: Fields, value: unknown, i: number, skip: Skip): Body[] {
  const fields = request.nested(value, MESSAGE_FIELDS, `messages[${i}]`);
  const role = fields.oneOf("role", ["user", "assistant", "system"]);
  if (role === undefined) throw fields.invalid("role", '"user" or "assistant"', role);
  if (role === "system") return [{ role, content: readTexts(fields, "content") ?? "" }];
  const content = fields.get("content");
  if (typeof content === "string") return [{ role, content }];
  const blocks = fields.array("content", MAX_BLOCKS);
  if (blocks === undefined) throw fields.invalid("content", "a string or an array of blocks", content);
  return role === "user" ? readUserBlocks(fields, blocks, skip) : [readAssistantBlocks(fields, blocks, skip)];
}

const place = (i: number): string => `content[${i}]`;

/** Results of tools are messages of their own, as the engine's templates take them. */
function readUserBlocks(fields: Fields, blocks: readonly unknown[], skip: Skip): Body[] {
  const messages: Body[] = [];
  let open: string | undefined;
  const close = (): void => {
    if (open !== undefined) messages.push({ role: "user", content: open });
    open = undefined;
  };
  for (let i = 0; i < blocks.length; i++) {
    if (blockType(blocks[i], fields.param(place(i))) === "tool_result") {
      close();
      messages.push(readToolResult(fields, blocks[i], i));
      continue;
    }
    const text = readBlockText(fields, blocks[i], place(i));
    if (text === undefined) skipBlock(fields, blocks[i], { i, skip });
    else open = (open ?? "") + text;
  }
  close();
  return messages.length > 0 ? messages : [{ role: "user", content: "" }];
}

function readToolResult(parent: Fields, block: unknown, i: number): Body {
  const fields = parent.nested(block, TOOL_RESULT_FIELDS, place(i));
  const id = fields.string("tool_use_id", 256);
  if (id === undefined) throw fields.invalid("tool_use_id", "a string", id);
  return { role: "tool", tool_call_id: id, content: readTexts(fields, "content") ?? "" };
}

function readAssistantBlocks(fields: Fields, blocks: readonly unknown[], skip: Skip): Body {
  const turn: { content: string; reasoning: string; calls: object[] } = { content: "", reasoning: "", calls: [] };
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[i];
    const type = blockType(block, fields.param(place(i)));
    if (type === "thinking") {
      const thinking = fields.nested(block, THINKING_BLOCK_FIELDS, place(i));
      turn.reasoning += thinking.string("thinking", Infinity) ?? "";
    } else if (type === "tool_use") turn.calls.push(readToolUse(fields, block, i));
    else if (type !== "redacted_thinking") {
      const text = readBlockText(fields, block, place(i));
      if (text === undefined) skipBlock(fields, block, { i, skip });
      else turn.content += text;
    }
  }
  return {
    role: "assistant",
    content: turn.content,
    ...(turn.reasoning && { reasoning_content: turn.reasoning }),
    ...(turn.calls.length > 0 && { tool_calls: turn.calls }),
  };
}

/** Blocks of tools that Anthropic runs itself, such as a web search and its results, and those of a later API. */
function skipBlock(fields: Fields, block: unknown, { i, skip }: { i: number; skip: Skip }): void {
  const name = fields.param(place(i));
  skip(name, `a block of type ${JSON.stringify(blockType(block, name).slice(0, 60))} is not shown to the model`);
}

function readToolUse(parent: Fields, block: unknown, i: number): object {
  const fields = parent.nested(block, TOOL_USE_FIELDS, place(i));
  const id = requiredText(fields, "id");
  const name = requiredText(fields, "name");
  const input = fields.get("input") ?? {};
  if (typeof input !== "object" || Array.isArray(input)) throw fields.invalid("input", "an object", input);
  return { id, type: "function", function: { name, arguments: JSON.stringify(input) } };
}
