/**
 * The tools of /v1/messages as those of a chat completion.
 * @module
 */
import type { Fields } from "../../../base/fields.ts";
import type { Body } from "../../body.ts";
import { clientTool } from "./client-tools.ts";
import type { Skip } from "./content.ts";
import { TOOL_CHOICE_FIELDS, TOOL_FIELDS } from "./field-tables.ts";

const MAX_TOOLS = 128;

/** Reads the tools that the client can run. Tools that Anthropic would run are reported as ignored. */
export function readTools(fields: Fields, skip: Skip): object[] | undefined {
  const tools = fields.array("tools", MAX_TOOLS) ?? [];
  const readable = Array.from(tools, (tool, i) => readTool(fields, tool, { i, skip })).filter(
    (tool) => tool !== undefined,
  );
  return readable.length > 0 ? readable : undefined;
}

function readTool(request: Fields, value: unknown, { i, skip }: { i: number; skip: Skip }): object | undefined {
  const name = `tools[${i}]`;
  const type = typeof value === "object" && value !== null ? (value as { type?: unknown }).type : undefined;
  if (typeof type === "string" && type !== "custom") {
    const known = clientTool(type);
    if (known) return functionTool({ name: (value as { name?: unknown }).name, ...known });
    skip(name, `a tool of type ${JSON.stringify(type.slice(0, 60))} runs at Anthropic only`);
    return undefined;
  }
  const fields = request.nested(value, TOOL_FIELDS, name);
  fields.oneOf("type", ["custom"]);
  const [toolName, description, parameters] = ["name", "description", "input_schema"].map((key) => fields.get(key));
  return functionTool({ name: toolName, description, parameters, strict: fields.boolean("strict") });
}

function functionTool(parts: object): object {
  return { type: "function", function: parts };
}

export function readToolChoice(request: Fields): Body {
  const value = request.get("tool_choice");
  if (value === undefined) return {};
  const fields = request.nested(value, TOOL_CHOICE_FIELDS, "tool_choice");
  const single = fields.boolean("disable_parallel_tool_use");
  const type = fields.oneOf("type", ["auto", "any", "none", "tool"]);
  if (type === undefined) throw fields.invalid("type", '"auto", "any", "none" or "tool"', type);
  const named = { type: "function", function: { name: fields.string("name", 256) } };
  return {
    tool_choice: type === "tool" ? named : type === "any" ? "required" : type,
    parallel_tool_calls: single === undefined ? undefined : !single,
  };
}
