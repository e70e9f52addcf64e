/**
 * What a model's chat template makes of tools: how they are shown, how calls are written, read and held to schemas.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { unsupported } from "../../base/fields.ts";
import type { ChatMessage } from "../../chat/template.ts";
import type { ToolParserOptions } from "../../chat/tool-calls.ts";
import { callGrammar, callStarts, PYTHON_TAG, type Tool, type ToolFormat, toolFormat } from "../../chat/tool-format.ts";
import { spellTools } from "../../chat/tool-messages.ts";
import type { TokenMasks } from "../../grammar/matcher/token-masks.ts";
import type { CallConstraintOptions } from "../constrain/call-constraint.ts";
import type { Grammars } from "../constrain/grammars.ts";
import { compileNamed } from "./structured.ts";
import type { ToolRequest } from "./tools.ts";

export interface ToolSupport {
  /** How calls are written; undefined: in a way that is not known here. */
  readonly format: ToolFormat | undefined;
  /** The template shows tools itself. */
  readonly native: boolean;
}

/** @param template Jinja source, if the model has one @param names those that it reads */
export function toolSupport(template: string | undefined, names: ReadonlySet<string> | undefined): ToolSupport {
  const native = template !== undefined && (names?.has("tools") ?? false);
  return { native, format: native ? toolFormat(template) : "hermes" };
}

/**
 * Messages and template options that show the tools.
 * @throws NibbleError `invalid_request` if the model's calls could not be read
 */
export function showTools(
  messages: readonly ChatMessage[],
  tools: readonly Tool[] | undefined,
  { native, format }: ToolSupport,
): { messages: readonly ChatMessage[]; options: { tools?: readonly Tool[] } } {
  if (tools && !format)
    throw unsupported(
      "tools",
      "the form of calls that the model's chat template asks for",
      "describe the tools in a message",
    );
  if (native) return { messages, options: tools ? { tools } : {} };
  return { messages: spellTools(messages, tools ?? []), options: {} };
}

export function callParser({ tools, parallel }: ToolRequest, { format }: ToolSupport): ToolParserOptions {
  return { format: format!, names: new Set(tools.map((tool) => tool.function.name)), parallel };
}

/** Special tokens that the parser has to see. */
export const SHOWN_WITH_TOOLS: readonly string[] = [PYTHON_TAG];

/**
 * What holds calls of the model's own to their schemas; undefined where a schema is not supported, which is no error,
 * since the request does not ask for a call.
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

/** What makes the model call. @throws NibbleError `invalid_request` if a tool's schema is not supported */
export function callMasks({ tools, parallel }: ToolRequest, format: ToolFormat, grammars: Grammars): TokenMasks {
  return compileNamed(callGrammar(tools, format, parallel), "tools", grammars);
}
