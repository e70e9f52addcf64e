/**
 * What a campaign tries: targets, and inputs that are lists of steps, so that one search makes every failure small.
 * @module
 */
import type { Random } from "../helpers/random.ts";

export const PARTS = ["mutation", "server", "faults", "soak"] as const;
export type PartName = (typeof PARTS)[number];

/** A JSON value that one step of an input is made of: an edit of bytes, a command, a fault. */
export type Step = string | number | readonly Step[] | object;

/** An input as it is stored: what it starts from, and the steps from there. */
export interface Input {
  /** The name of a file, scenario or model that the target knows. */
  readonly base: string;
  readonly steps: readonly Step[];
}

/** Code that must keep a promise for every input. */
export interface Target {
  readonly part: PartName;
  readonly name: string;
  /** The promise, for the report. */
  readonly promise: string;
  /** How many inputs CI runs, which takes some seconds. */
  readonly inputs: number;
  /** An input from random numbers; the same numbers give the same input. */
  generate(random: Random): Promise<Input>;
  /**
   * Runs an input.
   * @param seconds how long it may take, for targets that run as long as they are told to
   * @returns how it ended, in a word: the code of a typed error, or "works"
   * @throws whatever shows that the promise is broken
   */
  run(input: Input, seconds: number): Promise<string>;
  /** Smaller forms of a step, the smallest first. Default: steps are kept or left out as they are. */
  smaller?(step: Step): readonly Step[];
  /** What the last run has measured, for the report. */
  measured?(): unknown;
  /** Seconds after which the watchdog ends the run. Default: 120. */
  readonly patience?: number;
}

/** A broken promise, as it is stored below `cases/` and replayed. */
export interface Case {
  readonly target: string;
  readonly input: Input;
  /** What was seen when it was found. */
  readonly seen: string;
  readonly seed: string;
  readonly commit: string;
}

/** What every promise includes, said once: an error that is not the library's own breaks it. */
export class Broken extends Error {
  override readonly name = "Broken";
}
