/**
 * Texts of prompts to token ids.
 * @module
 */
import type { Model } from "../engine/model.ts";

/** Encodes a text. BOS stands before it where the model's tokenizer adds it and the text does not begin with it. */
export function encodeText(model: Pick<Model, "tokenize">, text: string): number[] {
  const [bos] = model.tokenize("");
  const ids = model.tokenize(text);
  return bos !== undefined && ids[1] === bos ? ids.slice(1) : ids;
}
