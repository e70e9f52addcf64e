/**
 * The error that the interpreter throws. `template.ts` turns it into a NibbleError that names the line.
 * @module
 */

/** A template that is invalid, fails, or exceeds a limit. */
export class JinjaError extends Error {
  /** The line of the template, if it is known. */
  readonly line: number | undefined;
  override readonly name = "JinjaError";

  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}

/** @throws JinjaError */
export function fail(message: string, line?: number): never {
  throw new JinjaError(message, line);
}
