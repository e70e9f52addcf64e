/**
 * The one error of the interpreter. `template.ts` turns it into a NibbleError with the line it arose on.
 * @module
 */

export class JinjaError extends Error {
  /** Line of the template, where the parser knows it. */
  readonly line: number | undefined;
  override readonly name = "JinjaError";

  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}

export function fail(message: string, line?: number): never {
  throw new JinjaError(message, line);
}
