/**
 * nibble as a provider of the Vercel AI SDK: specification 4 (AI SDK 7) and 3 (AI SDK 6).
 *
 * ```ts
 * import { generateText } from "ai";
 * import { load } from "nibble-llm";
 * import { createNibble } from "nibble-llm/ai-sdk";
 *
 * const nibble = createNibble({ load });
 * const { text } = await generateText({ model: nibble("crumb"), prompt: "How much is 8 * 33?" });
 * ```
 * @module
 */
export { createNibble, type NibbleProvider, type NibbleProviderOptions } from "../ai-sdk/provider.ts";
export type * from "../ai-sdk/types.ts";
