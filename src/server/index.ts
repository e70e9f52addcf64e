/**
 * `nibble-llm/server`: OpenAI's and Anthropic's APIs for a loaded model, on every host.
 * @module
 */
export { createHandler, type Handler } from "./handler.ts";
export type { HandlerOptions } from "./options.ts";
export type { SlotStore } from "./slots.ts";
