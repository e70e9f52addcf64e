/**
 * The part of the assistant's turn that a prompt already ends with. A template may open or close a `<think>` block there,
 * and a caller may have written the beginning of the answer.
 * @module
 */
import { CLOSE_TAG, OPEN_TAG, opensReasoning, type ReasoningPhase, ReasoningSplitter } from "./reasoning.ts";

/** The beginning of the turn that a template has written: an open `<think>` block, a closed one, or nothing. */
export function begunBy(prompt: string): string {
  if (opensReasoning(prompt)) return OPEN_TAG;
  return prompt.trimEnd().endsWith(CLOSE_TAG) ? OPEN_TAG + CLOSE_TAG : "";
}

/** Whether a turn so far is in reasoning, and how much of its content there is. */
export function readTurn(begun: string): { readonly phase: ReasoningPhase; readonly content: string } {
  const splitter = new ReasoningSplitter();
  const { content } = splitter.push(begun);
  return { phase: splitter.phase, content };
}
