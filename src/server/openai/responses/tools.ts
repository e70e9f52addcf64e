/**
 * The tools of /v1/responses as functions of a chat completion.
 * @module
 */
import { type Fields, unsupported } from "../../../base/fields.ts";
import { underName } from "../../../engine/request/structured.ts";
import { parsePattern } from "../../../grammar/regular/pattern.ts";
import { CUSTOM_FORMAT_FIELDS, CUSTOM_TOOL_FIELDS, FUNCTION_FIELDS, TOOL_CHOICE_FIELDS } from "./field-tables.ts";

const MAX_TOOLS = 128;
const MAX_DEFINITION = 2 ** 16;

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
      const tool = readCustomTool(fields, value, { i, skip });
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

/** A custom tool as a function with one argument, its input. */
function readCustomTool(
  request: Fields,
  value: unknown,
  { i, skip }: { readonly i: number; readonly skip: Skip },
): { type: string; function: { name: string; description: string; parameters: object } } {
  const fields = request.nested(value, CUSTOM_TOOL_FIELDS, `tools[${i}]`);
  const name = fields.string("name", 256);
  if (name === undefined) throw fields.invalid("name", "a string", name);
  const { syntax, definition } = readFormat(fields);
  if (syntax === "lark") skip(`tools[${i}].format`, "a grammar in Lark is told to the model, which is not held to it");
  const grammar = syntax === undefined ? "" : `\n\nThe input keeps to this ${syntax} grammar:\n${definition}`;
  const pattern = syntax === "regex" ? { pattern: `^(?:${definition})$` } : {};
  const input = { type: "string", description: "The whole input of the tool.", ...pattern };
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

/** The format of a custom tool's input: any text, or one that keeps to a grammar. */
function readFormat(fields: Fields): { readonly syntax?: "lark" | "regex"; readonly definition?: string } {
  const given = fields.get("format");
  if (given === undefined) return {};
  const format = fields.nested(given, CUSTOM_FORMAT_FIELDS, "format");
  if ((format.oneOf("type", ["text", "grammar"]) ?? "text") === "text") return {};
  const syntax = format.oneOf("syntax", ["lark", "regex"]);
  if (syntax === undefined) throw format.invalid("syntax", '"lark" or "regex"', syntax);
  const definition = format.string("definition", MAX_DEFINITION);
  if (definition === undefined) throw format.invalid("definition", "the text of the grammar", definition);
  // It is read alone first, because `a)|(b` would be a pattern only inside of the parentheses that are put around it.
  if (syntax === "regex") underName(format.param("definition"), () => parsePattern(definition));
  return { syntax, definition };
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
