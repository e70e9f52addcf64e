/**
 * A model's own chat template: Jinja source in, prompt text out, as `apply_chat_template` of transformers gives it
 * (trim_blocks, lstrip_blocks, `raise_exception`, `strftime_now`, `tojson` without ASCII escapes).
 * A template is untrusted code: see limits.ts for what it may cost.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { BoundedInterpreter, type Program } from "./interpreter.ts";
import { Environment, type Node, parse, tokenize } from "./jinja.ts";
import { checkSource, checkTokens, templateError } from "./limits.ts";
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
  /** Further variables, such as `enable_thinking`. They cannot replace the ones above. */
  readonly extra?: ReadonlyMap<string, unknown> | undefined;
  /** What `strftime_now` tells (default: now). */
  readonly now?: Date | undefined;
}

export interface ChatTemplate {
  /** @throws NibbleError `template_error` if the template refuses the messages, fails, or costs too much. */
  render(options: RenderOptions): string;
  /** Names that the template reads: which `extra` variables can have an effect. */
  readonly names: ReadonlySet<string>;
}

/** @throws NibbleError `template_error` if the source does not parse, or is too large or too deeply nested. */
export function compileTemplate(source: string): ChatTemplate {
  checkSource(source);
  const program = guard(() => {
    const tokens = tokenize(source, { trim_blocks: true, lstrip_blocks: true });
    checkTokens(tokens);
    return survey(parse(tokens));
  });
  return {
    names: program.names,
    render: (options) => guard(() => render(program, options)),
  };
}

function render(program: Program, options: RenderOptions): string {
  const environment = new Environment();
  const define = (name: string, value: unknown) => environment.set(name, value);
  for (const [name, value] of [
    ["true", true],
    ["True", true],
    ["false", false],
    ["False", false],
  ] as const) {
    define(name, value);
  }
  define("none", null);
  define("None", null);
  define("messages", options.messages);
  define("add_generation_prompt", options.addGenerationPrompt ?? true);
  define("bos_token", options.bosToken ?? "");
  define("eos_token", options.eosToken ?? "");
  define("tools", options.tools ?? null);
  define("documents", null);
  define("raise_exception", (message: unknown) => {
    throw templateError(`refuses the messages: ${message}`);
  });
  define("strftime_now", (format: unknown) => strftime(options.now ?? new Date(), String(format)));
  const interpreter = new BoundedInterpreter(environment, program);
  define("range", (...args: unknown[]) => range(interpreter, args));
  for (const [name, value] of options.extra ?? []) {
    if (!environment.variables.has(name)) define(name, value);
  }
  return String(interpreter.run(program.root).value);
}

function range(interpreter: BoundedInterpreter, args: readonly unknown[]): number[] {
  const [first, second, step = 1] = args;
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  for (const value of [start, stop, step]) {
    if (!Number.isSafeInteger(value)) throw templateError("range() takes integers");
  }
  const [from, to, by] = [start as number, stop as number, step as number];
  if (by === 0) throw templateError("range() step must not be zero");
  const length = Math.max(0, Math.ceil((to - from) / by));
  interpreter.budget.list(length);
  interpreter.budget.spend(length);
  return Array.from({ length }, (_, i) => from + i * by);
}

/** Walks the tree once, without recursion. */
function survey(root: Node): Program {
  const printed = new Set<Node>();
  const passed = new Set<Node>();
  const sizes = new Map<Node, number>();
  const names = new Set<string>();
  const all: Node[] = [root];
  const parents: number[] = [-1];
  for (let i = 0; i < all.length; i++) {
    const node = all[i]!;
    if (node.type === "Identifier") names.add((node as Node & { value: string }).value);
    for (const [field, child] of Object.entries(node) as [string, unknown][]) {
      for (const item of child instanceof Map ? [...child].flat() : Array.isArray(child) ? child : [child]) {
        if (typeof item !== "object" || item === null || !("type" in item)) continue;
        if (field === "body" || field === "alternate" || field === "defaultBlock") printed.add(item);
        if (field === "args" || field === "argument" || node.type === "KeywordArgumentExpression") passed.add(item);
        all.push(item);
        parents.push(i);
      }
    }
  }
  const counts = new Float64Array(all.length).fill(1);
  for (let i = all.length - 1; i > 0; i--) counts[parents[i]!]! += counts[i]!;
  all.forEach((node, i) => {
    if (node.type === "Macro" || node.type === "CallStatement") sizes.set(node, counts[i]!);
  });
  return { root, printed, passed, sizes, names };
}

/** Whatever the library throws becomes a `template_error`; a stack overflow too (a RangeError in every engine). */
function guard<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof NibbleError) throw error;
    // The parser reads past its last token when a tag or block is not closed.
    if (error instanceof TypeError)
      throw templateError("expected valid Jinja, got a tag or block that does not end", error);
    throw templateError(error instanceof Error ? error.message : String(error), error);
  }
}
