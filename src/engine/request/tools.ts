/**
 * The fields of a request that are about tools, and calls in its messages.
 * @module
 */

import { Fields, invalid, required } from "../../base/fields.ts";
import type { Tool } from "../../chat/tool-format.ts";

export interface ToolRequest {
  /** Those that may be called. */
  readonly tools: readonly Tool[];
  /** A call is asked for. */
  readonly required: boolean;
  readonly parallel: boolean;
}

const MAX_TOOLS = 128;
/** OpenAI's. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const MAX_TEXT: number = 1 << 16;

/**
 * @returns undefined if there is nothing that may be called
 * @throws NibbleError `invalid_request` that names the field
 */
export function checkTools(fields: Fields): ToolRequest | undefined {
  const tools = fields.array("tools", MAX_TOOLS)?.map((tool, i) => checkTool(tool, `tools[${i}]`)) ?? [];
  const names = new Set(tools.map((tool) => tool.function.name));
  const repeated = tools.findIndex((tool, i) => tools.findIndex((other) => sameName(tool, other)) < i);
  if (repeated >= 0)
    throw invalid(`tools[${repeated}].function.name`, "each name once", tools[repeated]!.function.name);
  const parallel = fields.boolean("parallel_tool_calls") ?? true;
  const choice = fields.get("tool_choice") ?? "auto";
  if (choice === "none") return undefined;
  if (typeof choice === "object") {
    const name = checkNamed(choice, names);
    return { tools: tools.filter((tool) => tool.function.name === name), required: true, parallel: false };
  }
  if (choice !== "auto" && choice !== "required") {
    throw fields.invalid("tool_choice", '"none", "auto", "required" or a function of tools', choice);
  }
  if (choice === "required" && tools.length === 0) throw required("tool_choice", "tools");
  return tools.length === 0 ? undefined : { tools, required: choice === "required", parallel };
}

const sameName = (a: Tool, b: Tool) => a.function.name === b.function.name;

function checkTool(tool: unknown, param: string): Tool {
  const fields = new Fields(tool, ["type", "function"], param);
  if (fields.oneOf("type", ["function"]) === undefined) throw fields.invalid("type", '"function"', undefined);
  const known = ["name", "description", "parameters", "strict"];
  const inner = new Fields(fields.get("function"), known, fields.param("function"));
  const name = inner.get("name");
  if (typeof name !== "string" || !NAME.test(name)) {
    throw inner.invalid("name", "1 to 64 letters, digits, _ and -", name);
  }
  const description = inner.string("description", MAX_TEXT);
  inner.boolean("strict");
  const parameters = inner.get("parameters");
  if (parameters !== undefined && (typeof parameters !== "object" || Array.isArray(parameters))) {
    throw inner.invalid("parameters", "a JSON schema (an object)", parameters);
  }
  const given = { ...(description !== undefined && { description }), ...(parameters && { parameters }) };
  return { type: "function", function: { name, ...given } };
}

function checkNamed(choice: unknown, names: ReadonlySet<string>): string {
  const fields = new Fields(choice, ["type", "function"], "tool_choice");
  if (fields.oneOf("type", ["function"]) === undefined) {
    throw invalid("tool_choice", '{ type: "function", function: { name } }', choice);
  }
  const inner = new Fields(fields.get("function"), ["name"], "tool_choice.function");
  const name = inner.get("name");
  if (typeof name === "string" && names.has(name)) return name;
  throw inner.invalid("name", "the name of one of tools", name);
}

/**
 * Calls of an assistant's message, as templates want them: arguments as an object where they are the JSON text of one.
 * @throws NibbleError `invalid_request` that names the field
 */
export function checkCalls(calls: readonly unknown[], param: string): object[] {
  return calls.map((call, i) => {
    const fields = new Fields(call, ["id", "type", "function", "index"], `${param}[${i}]`);
    fields.oneOf("type", ["function"]);
    const id = fields.string("id", 256);
    const inner = new Fields(fields.get("function"), ["name", "arguments"], fields.param("function"));
    const name = inner.string("name", 256);
    if (name === undefined) throw inner.invalid("name", "a string", undefined);
    const text = inner.get("arguments") ?? "{}";
    if (typeof text !== "string" && (typeof text !== "object" || Array.isArray(text))) {
      throw inner.invalid("arguments", "JSON text", text);
    }
    return { ...(id !== undefined && { id }), type: "function", function: { name, arguments: parseArguments(text) } };
  });
}

function parseArguments(given: string | object): string | object {
  if (typeof given !== "string") return given;
  try {
    const value: unknown = JSON.parse(given);
    return typeof value === "object" && value !== null ? value : given;
  } catch {
    return given; // a model may have written it
  }
}
