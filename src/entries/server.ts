/**
 * `nibble-llm/server`: OpenAI's and Anthropic's APIs for a loaded model, on every host.
 * @module
 */

export type { BlobStore } from "../batch/store.ts";
export type { FetchHandler } from "../hosts/node/fetch-handler.ts";
export { type NodeRequest, type NodeResponse, toNodeListener } from "../hosts/node/to-node-listener.ts";
export { createHandler, type Handler } from "../server/handler.ts";
export type { SlotStore } from "../server/llama-server/slot-store.ts";
export type { HandlerOptions } from "../server/options.ts";
