/**
 * A model's support for tools by its chat template: how tools are shown, and how calls are written, parsed and held to
 * schemas.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { ChatMessage } from "../../chat/template.ts";
import type { ToolParserOptions } from "../../chat/tool-calls.ts";
import { callGrammar, callStarts, PYTHON_TAG, type Tool, type ToolFormat, toolFormat } from "../../chat/tool-format.ts";
import { spellTools } from "../../chat/tool-messages.ts";
import type { GrammarSource } from "../../grammar/compile.ts";
import type { TokenMasks } from "../../grammar/matcher/token-masks.ts";
import type { CallConstraintOptions } from "../constrain/call-constraint.ts";
import type { Grammars } from "../constrain/grammars.ts";
import { compileNamed, type Format } from "./structured.ts";
import type { ToolRequest } from "./tools.ts";

export interface ToolSupport {
  /** How calls are written. */
  readonly format: ToolFormat;
  /** The template shows tools itself. Otherwise instructions do. */
  readonly native: boolean;
}

/**
 * A template that asks for a format of calls that is not known here is treated as one that shows no tools.
 * @param template Jinja source, if the model has one
 * @param names the variables that the template reads
 */
export function toolSupport(template: string | undefined, names: ReadonlySet<string> | undefined): ToolSupport {
  const format = template !== undefined && names?.has("tools") ? toolFormat(template) : undefined;
  return { native: format !== undefined, format: format ?? "hermes" };
}

/** How a conversation and its tools reach the template. */
export interface ShownTools {
  readonly messages: readonly ChatMessage[];
  readonly options: { readonly tools?: readonly Tool[] };
}

/** @param showsSystem whether the template shows system messages */
export function showTools(
  messages: readonly ChatMessage[],
  tools: readonly Tool[] | undefined,
  { native }: ToolSupport,
  showsSystem: () => boolean,
): ShownTools {
  if (native) return { messages, options: tools ? { tools } : {} };
  return { messages: spellTools(messages, tools ?? [], tools === undefined || showsSystem()), options: {} };
}

/** @param bare whether a call without tags counts, where calls should have tags */
export function callParser(
  { tools, parallel, required }: ToolRequest,
  { format }: ToolSupport,
  bare: boolean,
): ToolParserOptions {
  return { format, names: new Set(tools.map((tool) => tool.function.name)), parallel, required, bare };
}

/** Special tokens that must be part of the text for the parser. */
export const SHOWN_WITH_TOOLS: readonly string[] = [PYTHON_TAG];

/**
 * The constraint that holds calls which the model makes by itself to their schemas. It is undefined if a schema is not
 * supported, which is no error, because the request does not force a call.
 */
export function freeCalls(
  { tools }: ToolRequest,
  format: ToolFormat,
  grammars: Grammars,
  begun: string,
): CallConstraintOptions | undefined {
  const starts = callStarts(tools, format);
  try {
    return { masks: grammars.compile(callGrammar(tools, format, false)), starts, begun };
  } catch (error) {
    if (error instanceof NibbleError) return undefined;
    throw error;
  }
}

/** The masks that force a call. @throws NibbleError `invalid_request` if a tool's schema is not supported */
export function callMasks({ tools, parallel }: ToolRequest, format: ToolFormat, grammars: Grammars): TokenMasks {
  return compileNamed(callGrammar(tools, format, parallel), "tools", grammars);
}

/**
 * The grammar of an answer that calls tools or keeps to a format. A tool whose schema is not supported may be called with
 * any object, since the request does not ask for a call.
 * @throws NibbleError `invalid_request` if the format is not supported
 */
export function callOrFormatMasks(
  { tools, parallel }: ToolRequest,
  format: ToolFormat,
  { source, param }: Format,
  grammars: Grammars,
): TokenMasks {
  const either = (callable: readonly Tool[]): GrammarSource => ({
    kind: "either",
    sources: [callGrammar(callable, format, parallel), source],
  });
  try {
    return grammars.compile(either(tools));
  } catch (error) {
    if (!(error instanceof NibbleError)) throw error;
    const open = tools.map((tool): Tool => ({ ...tool, function: { name: tool.function.name } }));
    return compileNamed(either(open), param, grammars);
  }
}
