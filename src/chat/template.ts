/**
 * Renders a conversation with a chat template, as `apply_chat_template` of transformers 5.24 does.
 * The limits of a template's work are in jinja/budget.ts.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { asText, bind } from "./jinja/arguments.ts";
import { type CompiledJinja, compileJinja } from "./jinja/compile.ts";
import { fromJavaScript } from "./jinja/convert.ts";
import { JinjaError } from "./jinja/errors.ts";
import { Callable, textOf, type Value } from "./jinja/values.ts";
import { strftime } from "./strftime.ts";

/** A message of a conversation. A template may read more fields, such as `tool_calls`. */
export interface ChatMessage {
  /** "system", "user", "assistant", "tool" or another name that the template knows. */
  readonly role: string;
  /** The text, if there is one. */
  readonly content?: string | null;
  readonly [field: string]: unknown;
}

export interface RenderOptions {
  readonly messages: readonly ChatMessage[];
  /** End with the header of the assistant's turn (default true). */
  readonly addGenerationPrompt?: boolean;
  readonly bosToken?: string | undefined;
  readonly eosToken?: string | undefined;
  /** JSON schemas of tools, for templates that can show them. */
  readonly tools?: readonly unknown[] | undefined;
  /** Further variables, such as `enable_thinking` or `documents`. They cannot replace the ones above. */
  readonly extra?: ReadonlyMap<string, unknown> | undefined;
  /** The time that `strftime_now` formats (default: now). */
  readonly now?: Date | undefined;
}

export interface ChatTemplate {
  /** @throws NibbleError `template_error` if the template refuses the messages, fails, or costs too much. */
  render(options: RenderOptions): string;
  /** The names that the template reads. Other `extra` variables have no effect. */
  readonly names: ReadonlySet<string>;
}

/** @throws NibbleError `template_error` if the source does not parse, or is too long or too deeply nested. */
export function compileTemplate(source: string): ChatTemplate {
  const compiled = guard(() => compileJinja(source));
  return {
    names: compiled.names,
    render: (options) => guard(() => render(compiled, options)),
  };
}

function render(compiled: CompiledJinja, options: RenderOptions): string {
  const own = new Map<string, unknown>([
    ["messages", options.messages.map(withReasoning)],
    ["add_generation_prompt", options.addGenerationPrompt ?? true],
    ["bos_token", options.bosToken ?? ""],
    ["eos_token", options.eosToken ?? ""],
    ["tools", options.tools ?? null],
    ["documents", options.extra?.get("documents") ?? null],
  ]);
  const variables = new Map<string, Value>(functions(options.now ?? new Date()));
  for (const [name, value] of [...(options.extra ?? []), ...own]) variables.set(name, fromJavaScript(value));
  return compiled.render(variables);
}

/** The fields in which clients send a message's reasoning. Templates read the first, those of gpt-oss the second. */
const REASONING = ["reasoning_content", "thinking", "reasoning"] as const;

/** Prepares a message as transformers does: fields that are null are dropped, and reasoning is given under both names. */
function withReasoning(message: ChatMessage): object {
  const given = Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== null && value !== undefined),
  );
  const name = REASONING.find((field) => given[field] !== undefined);
  if (name === undefined) return given;
  const both = { ...given, reasoning_content: given[name] };
  return given.thinking === undefined ? { thinking: given[name], ...both } : both;
}

/** An error that the template raises itself. It is about the messages, so it names no line of the template. */
class Refusal extends Error {}

function functions(now: Date): [string, Value][] {
  const raise = new Callable("raise_exception", (args) => {
    const [message] = bind("raise_exception", "message", args);
    throw new Refusal(`refuses the messages: ${textOf(message) ?? "without a reason"}`);
  });
  const time = new Callable("strftime_now", (args) => strftime(now, asText(bind("strftime_now", "format", args)[0]!)));
  return [
    ["raise_exception", raise],
    ["strftime_now", time],
  ];
}

/** Turns every error into a `template_error`, also a stack overflow, which is a RangeError in every engine. */
function guard<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof NibbleError) throw error;
    const line = error instanceof JinjaError && error.line !== undefined ? `line ${error.line}: ` : "";
    const message = error instanceof Error ? error.message : String(error);
    throw new NibbleError("template_error", `chat template: ${line}${message}`, { cause: error });
  }
}
