/**
 * The format in which a model writes tool calls, as its chat template shows it, and a grammar for such calls.
 * @module
 */
import type { GrammarSource } from "../grammar/compile.ts";

/**
 * "hermes" is `<tool_call>{"name", "arguments"}</tool_call>`, which Hermes and Qwen models write. "llama3" is
 * `{"name", "parameters"}` without tags.
 */
export type ToolFormat = "hermes" | "llama3";

/** The tags around a call of the "hermes" format. Some vocabularies have them as special tokens. */
export const CALL_TAGS = ["<tool_call>", "</tool_call>"] as const;
/** A special token that Llama 3 may write before a call. It is removed where no call follows. */
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

/** Formats that have Hermes' tags around something else than JSON: Qwen3-Coder's and GLM's. */
const OTHER_FORMATS = /<function=|<arg_key>/;

/** The format that a template asks for; undefined if it shows no tools or asks for a format that is unknown here. */
export function toolFormat(template: string): ToolFormat | undefined {
  if (template.includes("<tool_call>")) return OTHER_FORMATS.test(template) ? undefined : "hermes";
  return /\\?"parameters\\?"/.test(template) && /ipython|python_tag/.test(template) ? "llama3" : undefined;
}

/** Texts that only a call follows: anywhere in an answer, or (Llama 3) only at its beginning. */
export interface CallStarts {
  readonly texts: readonly string[];
  readonly anywhere: boolean;
}

/** The texts with which a model begins a call. */
export function callStarts(tools: readonly Tool[], format: ToolFormat): CallStarts {
  if (format === "hermes") return { texts: [CALL_TAGS[0]], anywhere: true };
  return {
    texts: tools.map(({ function: { name } }) => `{"name": ${JSON.stringify(name)}, "parameters": `),
    anywhere: false,
  };
}

/** A grammar of one call of these tools, or of several calls. */
export function callGrammar(tools: readonly Tool[], format: ToolFormat, parallel: boolean): GrammarSource {
  const functions = tools.map(({ function: { name, parameters } }) => ({
    name,
    parameters: parameters ?? { type: "object" },
  }));
  if (format === "llama3") return { kind: "calls", functions, open: "", key: "parameters", close: "", separator: "" };
  const [open, close] = [`${CALL_TAGS[0]}\n`, `\n${CALL_TAGS[1]}`];
  return { kind: "calls", functions, open, key: "arguments", close, separator: parallel ? "\n" : "" };
}

/** Instructions for the system message, in the words that Hermes and Qwen models were trained with. */
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
