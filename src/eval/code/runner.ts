/**
 * What runs the programs of a task. Programs come from a model, so a runner must keep them from everything else.
 * @module
 */

/** A program that is right if it runs to its end within the time limit. */
export interface Script {
  readonly kind: "script";
  readonly source: string;
  /** The time limit of the whole. */
  readonly seconds: number;
}

/** A program that is right if it answers every test, by the rules of LiveCodeBench. */
export interface TestedProgram {
  readonly kind: "tests";
  readonly source: string;
  /** The function, or method of a class `Solution`, that is called. Default: the program reads stdin and writes stdout. */
  readonly function?: string | undefined;
  /** For a function: the arguments, each a line of JSON, and the value as JSON. */
  readonly tests: readonly { readonly input: string; readonly output: string }[];
  /** The time limit of each test. */
  readonly seconds: number;
}

export type Job = Script | TestedProgram;

export interface JobResult {
  readonly passed: boolean;
  /** Why it did not pass, such as `AssertionError`; empty if it did. */
  readonly reason: string;
  /** Tests that passed before the first that did not. */
  readonly testsPassed: number;
}

export interface CodeRunner {
  /**
   * Runs one program. Nothing that it does is seen by another one. Many calls may run at the same time.
   * @throws the signal's reason; NibbleError if programs cannot be run here
   */
  run(job: Job, signal?: AbortSignal): Promise<JobResult>;
}
