/**
 * `nibble-llm/tokenizer`: text to token ids and back, without the runtime.
 * @module
 */
export { createTokenizer, readTokenizer } from "../tokenizer/create.ts";
export type { Tokenizer } from "../tokenizer/types.ts";
