/**
 * Texts of requests to token ids. Reading megabytes takes seconds, so each use has its limit.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Model } from "../engine/model.ts";
import { boundedEncode } from "../engine/request/bounded-encode.ts";
import { asNibbleError } from "./errors.ts";

type Options = NonNullable<Parameters<Model["tokenize"]>[1]>;

/** Most ids that /tokenize gives and /detokenize takes. */
export const MAX_IDS: number = 2 ** 20;

/** A text that must fit the context. @throws NibbleError `context_full`, which names `param` */
export function tokenizePrompt(model: Model, text: string, param: string, options: Options = {}): number[] {
  const { contextLength } = model.info;
  const encode = boundedEncode(
    { encode: (all, more) => model.tokenize(all, { ...options, ...more }) },
    contextLength,
    param,
  );
  return encode(text);
}

/** Any text. @throws NibbleError `too_large`, which names `param` */
export function tokenizeText(model: Model, text: string, param: string, options: Options = {}): number[] {
  try {
    return model.tokenize(text, { ...options, limit: MAX_IDS });
  } catch (error) {
    if (asNibbleError(error)?.code !== "limit_exceeded") throw error;
    throw new NibbleError("too_large", `${param}: expected a text of at most ${MAX_IDS} tokens`, {
      param,
      cause: error,
    });
  }
}
