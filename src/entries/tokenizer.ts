/**
 * `nibble-llm/tokenizer`: turns text into token ids and back, without the runtime.
 * @module
 */
export { createTokenizer, readTokenizer } from "../tokenizer/create.ts";
export type { EncodeOptions, StreamDecoder, Tokenizer } from "../tokenizer/types.ts";
