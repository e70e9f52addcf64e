/**
 * Bounds the work on a text before its tokens are known.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { EncodeOptions, Tokenizer } from "../../tokenizer/types.ts";

/** Encodes texts, but does not read on where one is much too long. */
export type Encode = (text: string, options?: EncodeOptions) => number[];

/**
 * Texts that must fit the context. One that is a little too long is read to its end, so that the error tells by how much; one
 * that has several times the tokens is refused as soon as that is known, since reading megabytes takes seconds.
 * @throws NibbleError `context_full`, which names `param`
 */
export function boundedEncode(tokenizer: Pick<Tokenizer, "encode">, contextLength: number, param: string): Encode {
  const limit = 4 * contextLength + 4096;
  return (text, options) => {
    try {
      return tokenizer.encode(text, { ...options, limit });
    } catch (error) {
      if (!(error instanceof NibbleError) || error.code !== "limit_exceeded") throw error;
      const message = `${param} has more than ${limit} tokens; it exceeds the available context size of ${contextLength}`;
      throw new NibbleError("context_full", message, { param, figures: { n_ctx: contextLength }, cause: error });
    }
  };
}
