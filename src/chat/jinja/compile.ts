/**
 * Compiles and renders templates in the language of Jinja2, with the values of Python.
 *
 * It renders what Jinja2 3.1 renders in transformers' sandbox, and refuses what the sandbox refuses. No library does this:
 * in the core of `@huggingface/jinja` 0.5, integers and floats, Python's printing, undefined values and white space are
 * different (it rendered 101 of 283 recorded cases), and `minijinja-js` 2 has 380 kB (gzip).
 * @module
 */
import { analyze } from "./analysis.ts";
import { Budget, MAX_SOURCE } from "./budget.ts";
import { fail, JinjaError } from "./errors.ts";
import { globalFunctions } from "./globals.ts";
import { Interpreter } from "./interpreter.ts";
import { parse } from "./parser.ts";
import type { Value } from "./values.ts";

export interface CompiledJinja {
  /** All names that the template reads. */
  readonly names: ReadonlySet<string>;
  /**
   * Variables take precedence over the functions that every template has.
   * @throws JinjaError where Jinja2 fails, and when a limit is exceeded
   */
  render(variables: ReadonlyMap<string, Value>): string;
}

export interface JinjaOptions {
  /** Jinja2's `trim_blocks` and `lstrip_blocks`, which chat templates are written for (default true). */
  readonly trimBlocks?: boolean;
}

/** Compiles a template. @throws JinjaError if the source is invalid or too long */
export function compileJinja(source: string, { trimBlocks = true }: JinjaOptions = {}): CompiledJinja {
  if (source.length > MAX_SOURCE) fail(`expected at most ${MAX_SOURCE} characters, got ${source.length}`);
  const body = parse(source, trimBlocks);
  const analysis = analyze(body);
  return {
    names: analysis.names,
    render(variables) {
      const budget = new Budget();
      const interpreter = new Interpreter(analysis, new Map([...globalFunctions(budget), ...variables]), budget);
      try {
        return interpreter.run(body);
      } catch (error) {
        if (error instanceof JinjaError && error.line === undefined)
          throw new JinjaError(error.message, interpreter.line);
        throw error;
      }
    },
  };
}
