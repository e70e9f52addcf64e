/**
 * How a model writes calls of tools, told from its chat template, and the grammar that makes it write one.
 * @module
 */
import type { GrammarSource } from "../grammar/compile.ts";

/** hermes: `<tool_call>{"name", "arguments"}</tool_call>` (Hermes, Qwen); llama3: `{"name", "parameters"}` alone. */
export type ToolFormat = "hermes" | "llama3";

/** What stands around a call. Some vocabularies have these as special tokens. */
export const CALL_TAGS = ["<tool_call>", "</tool_call>"] as const;
/** Before a call of Llama 3's, at times: a special token. Where no call follows it, nobody sees it. */
export const PYTHON_TAG = "<|python_tag|>";

export interface Tool {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description?: string;
    /** JSON schema of the arguments, which are an object. */
    readonly parameters?: object;
    readonly strict?: boolean;
  };
}

/** The format that a template asks for; undefined if it shows no tools, or asks for another one. */
export function toolFormat(template: string): ToolFormat | undefined {
  if (template.includes("<tool_call>")) return "hermes";
  return /\\?"parameters\\?"/.test(template) && /ipython|python_tag/.test(template) ? "llama3" : undefined;
}

/** Texts behind which nothing but a call comes: anywhere in an answer, or (Llama 3) only as its beginning. */
export interface CallStarts {
  readonly texts: readonly string[];
  readonly anywhere: boolean;
}

/** What a model writes when it begins a call of its own. */
export function callStarts(tools: readonly Tool[], format: ToolFormat): CallStarts {
  if (format === "hermes") return { texts: [CALL_TAGS[0]], anywhere: true };
  return {
    texts: tools.map(({ function: { name } }) => `{"name": ${JSON.stringify(name)}, "parameters": `),
    anywhere: false,
  };
}

/** A grammar of one call of these tools, or of several. */
export function callGrammar(tools: readonly Tool[], format: ToolFormat, parallel: boolean): GrammarSource {
  const functions = tools.map(({ function: { name, parameters } }) => ({
    name,
    parameters: parameters ?? { type: "object" },
  }));
  if (format === "llama3") return { kind: "calls", functions, open: "", key: "parameters", close: "", separator: "" };
  const [open, close] = [`${CALL_TAGS[0]}\n`, `\n${CALL_TAGS[1]}`];
  return { kind: "calls", functions, open, key: "arguments", close, separator: parallel ? "\n" : "" };
}

/** For templates that show no tools: the instructions that Hermes and Qwen models know, to stand in the system message. */
export function toolInstructions(tools: readonly Tool[]): string {
  const lines = tools.map((tool) => JSON.stringify(tool));
  return [
    "You can call these functions. Each line is the signature of one, as JSON:",
    "<tools>",
    ...lines,
    "</tools>",
    "To call a function, answer with its name and arguments as JSON between tags, and nothing else:",
    '<tool_call>\n{"name": "...", "arguments": {...}}\n</tool_call>',
  ].join("\n");
}
