/**
 * A template, from source to text: an interpreter of Jinja2's language with Python's values.
 *
 * It renders what Jinja2 3.1 renders in transformers' sandbox, and refuses what that refuses. No library does: with
 * `@huggingface/jinja` 0.5 integers and floats, Python's printing, undefined values and the handling of white space
 * differ in its core (of 283 recorded cases it rendered 101), `minijinja-js` 2 has 380 kB (gzip).
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
  /** Every name that the template reads. */
  readonly names: ReadonlySet<string>;
  /**
   * Variables take precedence over the functions that every template has.
   * @throws JinjaError where Jinja2 would fail, and when it costs too much
   */
  render(variables: ReadonlyMap<string, Value>): string;
}

/** @throws JinjaError if the source is no valid template, or too long */
export function compileJinja(source: string): CompiledJinja {
  if (source.length > MAX_SOURCE) fail(`expected at most ${MAX_SOURCE} characters, got ${source.length}`);
  const body = parse(source);
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
