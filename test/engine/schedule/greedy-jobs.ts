/**
 * Jobs whose tokens are known beforehand, and turns of the host that a test takes one by one.
 * @module
 */
import { expect } from "vitest";
import type { Job } from "../../../src/engine/schedule/batch-plan.ts";
import type { HostTurns } from "../../../src/engine/schedule/host-turn.ts";
import { fakeLogits } from "../../helpers/fake-executor.ts";

/** Takes the likeliest token, `count` times. */
export class GreedyJob implements Job {
  tokens: number[];
  ready = true;
  error: unknown;
  done = false;
  readonly promptLength: number;
  readonly count: number;
  onAccept: ((job: GreedyJob) => void) | undefined;

  constructor(prompt: readonly number[], count: number) {
    this.tokens = [...prompt];
    this.promptLength = prompt.length;
    this.count = count;
  }
  get answer(): number[] {
    return this.tokens.slice(this.promptLength);
  }
  draft(): readonly number[] {
    return [];
  }
  begin(): void {}
  accept(logits: Float32Array): boolean {
    expect(logits.some(Number.isNaN)).toBe(false);
    this.tokens.push(logits.indexOf(Math.max(...logits)));
    this.onAccept?.(this);
    this.done = this.answer.length === this.count;
    return this.done;
  }
  fail(error: unknown): void {
    this.error = error;
  }
}

export function alone(prompt: readonly number[], count: number, vocabSize = 300): number[] {
  const tokens = [...prompt];
  for (let i = 0; i < count; i++) {
    const logits = fakeLogits(tokens, new Float32Array(vocabSize));
    tokens.push(logits.indexOf(Math.max(...logits)));
  }
  return tokens.slice(prompt.length);
}

/** Host turns that a test takes one by one. */
export function manualTurns() {
  const waiting: (() => void)[] = [];
  const turns: HostTurns = { next: () => new Promise((resolve) => waiting.push(resolve)), close: () => {} };
  return {
    turns: () => turns,
    /** Runs one step; false if the scheduler is idle. */
    async step(): Promise<boolean> {
      const resume = waiting.shift();
      resume?.();
      for (let i = 0; i < 10; i++) await Promise.resolve();
      return resume !== undefined;
    },
  };
}

/** Token ids that look random. */
export const prompt = (length: number, seed = 0) => Array.from({ length }, (_, i) => (i * 31 + seed * 7 + 5) % 250);
