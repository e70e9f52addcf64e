/**
 * Efforts of reasoning, as OpenAI, Anthropic and the AI SDK name them.
 * @module
 */
/** Tokens of reasoning that an effort stands for; undefined: as many as the model wants. */
export const REASONING_EFFORTS: ReadonlyMap<string, number | undefined> = new Map([
  ["none", 0],
  ["minimal", 128],
  ["low", 512],
  ["medium", 2048],
  ["high", 8192],
  ["xhigh", undefined],
  ["max", undefined],
]);
