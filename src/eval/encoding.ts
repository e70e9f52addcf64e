/**
 * Texts of prompts to token ids, by lm-eval's rules.
 * @module
 */
import type { Model } from "../engine/model.ts";
import { rstrip } from "./python-text.ts";

/** A context and a continuation as token ids. Both have at least one. */
export interface EncodedPair {
  readonly context: readonly number[];
  readonly continuation: readonly number[];
}

/** Encodes a text. BOS stands before it where the model's tokenizer adds it and the text does not begin with it. */
export function encodeText(model: Pick<Model, "tokenize">, text: string): number[] {
  const [bos] = model.tokenize("");
  const ids = model.tokenize(text);
  return bos !== undefined && ids[1] === bos ? ids.slice(1) : ids;
}

/**
 * Encodes both as one text, and splits it where the context alone would end. White space at the end of the context goes to
 * the continuation first. BOS stands before the text where the model's tokenizer adds it and the text does not begin with
 * it; BOS, or else the end token, stands for an empty context.
 */
export function encodePair(
  model: Pick<Model, "tokenize" | "info">,
  context: string,
  continuation: string,
): EncodedPair {
  const before = rstrip(context);
  const rest = context.slice(before.length) + continuation;
  if (before === "") {
    const [first = model.info.endIds[0]!] = model.tokenize("");
    return { context: [first], continuation: model.tokenize(rest, { addBos: false }) };
  }
  const whole = encodeText(model, before + rest);
  const split = encodeText(model, before).length;
  return { context: whole.slice(0, split), continuation: whole.slice(split) };
}
