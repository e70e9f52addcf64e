/**
 * Checks the fields of a request about tools, and the calls in its messages.
 * @module
 */
import { conflict, type Fields, invalid, required, unsupported } from "../../base/fields.ts";
import type { Tool } from "../../chat/tool-format.ts";
import {
  ALLOWED_TOOLS_FIELDS,
  CALLED_FUNCTION_FIELDS,
  FUNCTION_FIELDS,
  NAMED_FUNCTION_FIELDS,
  NAMED_TOOL_FIELDS,
  TOOL_CALL_FIELDS,
  TOOL_CHOICE_FIELDS,
  TOOL_FIELDS,
} from "./field-tables.ts";

export interface ToolRequest {
  /** The tools that may be called. */
  readonly tools: readonly Tool[];
  /** Whether the answer must be a call. */
  readonly required: boolean;
  /** Whether the answer may have several calls. */
  readonly parallel: boolean;
  /** Whether the request uses OpenAI's older names, `functions` and `function_call`, which the answer then uses too. */
  readonly functions: boolean;
}

const MAX_TOOLS = 1024;
/** OpenAI's and Anthropic's names, and the separators of names that gateways put together. */
const NAME = /^[a-zA-Z0-9_.:/-]{1,128}$/;
const MAX_TEXT: number = 1 << 16;

/**
 * The fields `tools`, `tool_choice` and `parallel_tool_calls`, or their older forms `functions` and `function_call`.
 * @returns undefined if no tool may be called
 * @throws NibbleError `invalid_request` that names the field
 */
export function checkTools(fields: Fields): ToolRequest | undefined {
  const functions = usesFunctions(fields);
  const tools = functions ? checkOlderTools(fields) : checkNewerTools(fields);
  const parallel = fields.boolean("parallel_tool_calls") ?? true;
  const { mode, allowed, single } = functions ? checkFunctionCall(fields, tools) : checkChoice(fields, tools);
  if (mode === "none") return undefined;
  if (mode === "required" && allowed.length === 0) throw required("tool_choice", "tools");
  return allowed.length === 0
    ? undefined
    : { tools: allowed, required: mode === "required", parallel: parallel && !single && !functions, functions };
}

/** Whether the request uses OpenAI's older form, `functions`. Without them "auto" and "none" ask for nothing. */
function usesFunctions(fields: Fields): boolean {
  const functions = fields.get("functions") !== undefined;
  const choice = fields.get("function_call") ?? "auto";
  if (!functions && (choice === "auto" || choice === "none")) return false;
  if (fields.get("tools") !== undefined)
    throw conflict(functions ? "functions" : "function_call", "tools", "both say which functions may be called");
  return true;
}

function checkNewerTools(fields: Fields): readonly Tool[] {
  const tools = Array.from(fields.array("tools", MAX_TOOLS) ?? [], (tool, i) =>
    checkTool(fields.nested(tool, TOOL_FIELDS, `tools[${i}]`)),
  );
  checkNames(tools, (i) => `tools[${i}].function.name`);
  return tools;
}

/** `functions`: what `tools` have in their `function`. */
function checkOlderTools(fields: Fields): readonly Tool[] {
  const tools = Array.from(fields.array("functions", MAX_TOOLS) ?? [], (one, i) =>
    checkFunction(fields.nested(one, FUNCTION_FIELDS, `functions[${i}]`)),
  );
  checkNames(tools, (i) => `functions[${i}].name`);
  return tools;
}

function checkNames(tools: readonly Tool[], param: (i: number) => string): void {
  const sameName = (a: Tool, b: Tool) => a.function.name === b.function.name;
  const repeated = tools.findIndex((tool, i) => tools.findIndex((other) => sameName(tool, other)) < i);
  if (repeated >= 0) throw invalid(param(repeated), "each name once", tools[repeated]!.function.name);
}

function checkTool(fields: Fields): Tool {
  const type = fields.get("type") ?? "function"; // the default in vLLM
  if (typeof type === "string" && type !== "function")
    throw unsupported(
      fields.param("type"),
      `a tool of type ${JSON.stringify(type.slice(0, 40))}`,
      "offer a function that does the same, and send its result in a message",
    );
  if (type !== "function") throw fields.invalid("type", '"function"', type);
  // The Responses API has the function's fields in the tool itself, and clients send that form to chats too.
  const flat = fields.get("function") === undefined && fields.get("name") !== undefined;
  return checkFunction(flat ? fields : fields.nested(fields.get("function"), FUNCTION_FIELDS, "function"));
}

function checkFunction(inner: Fields): Tool {
  const name = inner.get("name");
  if (typeof name !== "string" || !NAME.test(name))
    throw inner.invalid("name", "1 to 128 letters, digits and any of _ - . : /", name);
  const description = inner.string("description", MAX_TEXT);
  inner.boolean("strict");
  const parameters = inner.get("parameters");
  if (parameters !== undefined && (typeof parameters !== "object" || Array.isArray(parameters)))
    throw inner.invalid("parameters", "a JSON schema (an object)", parameters);
  const given = { ...(description !== undefined && { description }), ...(parameters && { parameters }) };
  return { type: "function", function: { name, ...given } };
}

interface Choice {
  readonly mode: "none" | "auto" | "required";
  readonly allowed: readonly Tool[];
  /** Whether the request names a single function to call. */
  readonly single?: boolean;
}

const MODES: ReadonlyMap<unknown, Choice["mode"]> = new Map([
  ["none", "none"],
  ["auto", "auto"],
  ["required", "required"],
  ["any", "required"], // Mistral's and Anthropic's word
]);

function checkChoice(fields: Fields, tools: readonly Tool[]): Choice {
  const choice = fields.get("tool_choice") ?? "auto";
  const mode = MODES.get(choice);
  if (mode) return { mode, allowed: tools };
  if (typeof choice !== "object")
    throw fields.invalid(
      "tool_choice",
      '"none", "auto", "required", or an object that names functions of tools',
      choice,
    );
  const inner = fields.nested(choice, TOOL_CHOICE_FIELDS, "tool_choice");
  if (inner.get("type") === "custom")
    throw unsupported("tool_choice.type", "a choice of a custom tool", "offer a function that does the same");
  const type = inner.oneOf("type", ["function", "allowed_tools", "none", "auto", "required", "any"]) ?? implied(inner);
  if (type === undefined) throw fields.invalid("tool_choice", '{ type: "function", function: { name } }', choice);
  if (type === "allowed_tools") return checkAllowed(inner, tools);
  if (type !== "function") return { mode: MODES.get(type)!, allowed: tools };
  return { mode: "required", allowed: [namedTool(inner, tools)], single: true };
}

/** `function_call`: OpenAI's older `tool_choice`. */
function checkFunctionCall(fields: Fields, tools: readonly Tool[]): Choice {
  const choice = fields.get("function_call") ?? "auto";
  if (choice === "auto" || choice === "none") return { mode: choice, allowed: tools };
  if (typeof choice !== "object")
    throw fields.invalid("function_call", '"none", "auto", or an object with the name of a function', choice);
  const tool = toolOfName(fields.nested(choice, NAMED_FUNCTION_FIELDS, "function_call"), tools);
  return { mode: "required", allowed: [tool], single: true };
}

/** vLLM takes a choice with a function and without a type. */
function implied(choice: Fields): "function" | undefined {
  return choice.get("function") === undefined ? undefined : "function";
}

/** OpenAI's way to restrict the tools of one request. */
function checkAllowed(choice: Fields, tools: readonly Tool[]): Choice {
  const fields = choice.nested(choice.get("allowed_tools"), ALLOWED_TOOLS_FIELDS, "allowed_tools");
  const mode = fields.oneOf("mode", ["auto", "required"]);
  const named = fields.array("tools", MAX_TOOLS);
  if (mode === undefined) throw fields.invalid("mode", '"auto" or "required"', mode);
  if (named === undefined) throw fields.invalid("tools", "an array of tools", named);
  const allowed = named.map((tool, i) => namedTool(fields.nested(tool, NAMED_TOOL_FIELDS, `tools[${i}]`), tools));
  return { mode, allowed: tools.filter((tool) => allowed.includes(tool)) };
}

/** The tool that `{ type: "function", function: { name } }` names. */
function namedTool(fields: Fields, tools: readonly Tool[]): Tool {
  const type = fields.get("type") ?? "function";
  if (type !== "function") throw fields.invalid("type", '"function"', type);
  return toolOfName(fields.nested(fields.get("function"), NAMED_FUNCTION_FIELDS, "function"), tools);
}

function toolOfName(fields: Fields, tools: readonly Tool[]): Tool {
  const name = fields.get("name");
  const tool = tools.find((one) => one.function.name === name);
  if (tool) return tool;
  throw fields.invalid("name", "the name of one of tools", name);
}

/**
 * Calls of an assistant's message, as templates want them: arguments as an object where they are the JSON text of one.
 * @throws NibbleError `invalid_request` that names the field
 */
export function checkCalls(message: Fields, calls: readonly unknown[]): object[] {
  return Array.from(calls, (call, i) => {
    const fields = message.nested(call, TOOL_CALL_FIELDS, `tool_calls[${i}]`);
    if (fields.get("type") === "custom")
      throw unsupported(fields.param("type"), "a call of a custom tool", "send it as a call of a function");
    fields.oneOf("type", ["function"]);
    const id = fields.string("id", 256);
    const called = checkCalled(fields.nested(fields.get("function"), CALLED_FUNCTION_FIELDS, "function"));
    return { ...(id !== undefined && { id }), type: "function", function: called };
  });
}

/** `function_call` of an assistant's message: its only call, in OpenAI's older form. */
export function checkOlderCall(message: Fields, call: unknown): object[] {
  return [{ type: "function", function: checkCalled(message.nested(call, CALLED_FUNCTION_FIELDS, "function_call")) }];
}

function checkCalled(fields: Fields): object {
  const name = fields.string("name", 256);
  if (name === undefined) throw fields.invalid("name", "a string", undefined);
  const text = fields.get("arguments") ?? "{}";
  if (typeof text !== "string" && (typeof text !== "object" || Array.isArray(text)))
    throw fields.invalid("arguments", "JSON text", text);
  return { name, arguments: parseArguments(text) };
}

function parseArguments(given: string | object): string | object {
  if (typeof given !== "string") return given;
  try {
    const value: unknown = JSON.parse(given);
    return typeof value === "object" && value !== null ? value : given;
  } catch {
    return given; // A model may have written it.
  }
}
