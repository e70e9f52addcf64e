/**
 * The part of `@huggingface/jinja` that we build on, with types.
 * Its declaration files import without extensions, which TypeScript's `nodenext` resolves to `any`; these say what is true.
 * @module
 */
import * as jinja from "@huggingface/jinja";

export interface Token {
  readonly type: string;
  readonly value: string;
}

/** A syntax tree node; which other fields it has depends on `type`. */
export interface Node {
  readonly type: string;
}

/** A template value. `value` is a string, number, boolean, array, Map, function, null or undefined. */
export interface Value {
  readonly type: string;
  readonly value: unknown;
}

export interface Environment {
  readonly variables: Map<string, Value>;
  readonly parent?: Environment;
  set(name: string, value: unknown): Value;
}

interface Interpreter {
  run(program: Node): Value;
  evaluate(node: Node | undefined, environment: Environment): Value;
}

export const Environment: new (parent?: Environment) => Environment = jinja.Environment as never;
export const Interpreter: new (environment: Environment) => Interpreter = jinja.Interpreter as never;
export const tokenize: (source: string, options: { trim_blocks: boolean; lstrip_blocks: boolean }) => Token[] =
  jinja.tokenize as never;
export const parse: (tokens: readonly Token[]) => Node = jinja.parse as never;
