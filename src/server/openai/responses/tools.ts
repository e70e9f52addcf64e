/**
 * The tools of /v1/responses as functions of a chat completion.
 * @module
 */
import { type Fields, unsupported } from "../../../base/fields.ts";
import { CUSTOM_TOOL_FIELDS, FUNCTION_FIELDS, TOOL_CHOICE_FIELDS } from "./field-tables.ts";

const MAX_TOOLS = 128;

export interface Tools {
  /** The functions for the chat completion; undefined if there are none. */
  readonly functions: readonly object[] | undefined;
  /** Names of custom tools, whose input is a text. To the model they are functions with one argument. */
  readonly custom: ReadonlySet<string>;
}

/** Reports that a tool is ignored. */
type Skip = (what: string, why: string) => void;

/** The only argument of a custom tool's function. */
export const CUSTOM_ARGUMENT = "input";

/** Reads functions and custom tools. Tools that OpenAI would run are reported as ignored. */
export function readTools(fields: Fields, skip: Skip): Tools {
  const functions: object[] = [];
  const custom = new Set<string>();
  const tools = fields.array("tools", MAX_TOOLS) ?? [];
  for (let i = 0; i < tools.length; i++) {
    const value = tools[i];
    const type = typeof value === "object" && value !== null ? (value as { type?: unknown }).type : undefined;
    if (type === "function") functions.push(readFunction(fields, value, i));
    else if (type === "custom") {
      const tool = readCustomTool(fields, value, i);
      custom.add(tool.function.name);
      functions.push(tool);
    } else if (typeof type === "string") {
      skip(`tools[${i}]`, `a tool of type ${JSON.stringify(type.slice(0, 60))} runs at OpenAI only`);
    } else throw fields.invalid(`tools[${i}].type`, '"function" or "custom"', type);
  }
  return { functions: functions.length > 0 ? functions : undefined, custom };
}

/** The fields of a function stand beside its type here, below it in a chat completion. */
function readFunction(request: Fields, value: unknown, i: number): object {
  const fields = request.nested(value, FUNCTION_FIELDS, `tools[${i}]`);
  const [name, description, parameters] = ["name", "description", "parameters"].map((key) => fields.get(key));
  return { type: "function", function: { name, description, parameters, strict: fields.boolean("strict") } };
}

/** A grammar of the input is told to the model as text; it is not enforced. */
function readCustomTool(
  request: Fields,
  value: unknown,
  i: number,
): { type: string; function: { name: string; description: string; parameters: object } } {
  const fields = request.nested(value, CUSTOM_TOOL_FIELDS, `tools[${i}]`);
  const name = fields.string("name", 256);
  if (name === undefined) throw fields.invalid("name", "a string", name);
  const table = { known: ["type", "syntax", "definition"] };
  const format = fields.nested(fields.get("format") ?? {}, table, "format");
  const syntax = format.string("syntax", 64);
  const definition = format.string("definition", Infinity);
  const grammar = definition === undefined ? "" : `\n\nThe input keeps to this ${syntax ?? ""} grammar:\n${definition}`;
  const input = { type: "string", description: "The whole input of the tool." };
  return {
    type: "function",
    function: {
      name,
      description: `${fields.string("description", Infinity) ?? ""}${grammar}`,
      parameters: {
        type: "object",
        properties: { [CUSTOM_ARGUMENT]: input },
        required: [CUSTOM_ARGUMENT],
        additionalProperties: false,
      },
    },
  };
}

/** A word such as "auto" stays as it is; the names of tools move below their type. */
export function readToolChoice(request: Fields): unknown {
  const value = request.get("tool_choice");
  if (typeof value !== "object" || value === null) return value;
  const fields = request.nested(value, TOOL_CHOICE_FIELDS, "tool_choice");
  const type = fields.string("type", 64);
  if (type === "function" || type === "custom") return named(fields.string("name", 256));
  if (type !== "allowed_tools")
    throw unsupported("tool_choice", `a tool of type ${JSON.stringify(type)}`, "choose a function or a custom tool");
  const tools = fields.array("tools", MAX_TOOLS) ?? [];
  const names = Array.from(tools, (tool, i) =>
    fields.nested(tool, ["type", "name"], `tools[${i}]`).string("name", 256),
  );
  const mode = fields.oneOf("mode", ["auto", "required"]) ?? "auto";
  return { type, allowed_tools: { mode, tools: names.map(named) } };
}

function named(name: string | undefined): object {
  return { type: "function", function: { name } };
}
