/**
 * Efforts of reasoning, as requests name them. The table has its own file because the AI SDK's provider bundles it
 * without the engine.
 * @module
 */

/** Tokens of reasoning that an effort stands for, by the names of OpenAI, Anthropic and the AI SDK; undefined: no bound. */
export const REASONING_EFFORTS: ReadonlyMap<string, number | undefined> = new Map([
  ["none", 0],
  ["minimal", 128],
  ["low", 512],
  ["medium", 2048],
  ["high", 8192],
  ["xhigh", undefined],
  ["max", undefined],
]);
