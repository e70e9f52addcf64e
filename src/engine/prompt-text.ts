/**
 * Encodes the prompts of text completions, and decodes them for an echo.
 * @module
 */
import type { Tokenizer } from "../tokenizer/types.ts";
import type { Encode } from "./request/bounded-encode.ts";
import type { CompletionPrompt } from "./request/completion.ts";

/**
 * The token ids of a prompt. Ids are taken as they are.
 * @param addBos whether BOS is added; undefined stands for the model's default
 */
export function encodePrompt(prompt: CompletionPrompt, encode: Encode, addBos: boolean | undefined): number[] {
  if (typeof prompt === "string") return encode(prompt, addBos === undefined ? {} : { addBos });
  return prompt.flatMap((part) => (typeof part === "string" ? encode(part, { special: true, addBos: false }) : [part]));
}

export interface PromptText {
  readonly text: string;
  readonly ids: readonly number[];
  /** UTF-16 units of the text before each token. */
  readonly offsets: readonly number[];
}

/**
 * A prompt as text, special tokens included, and where its tokens begin. A prompt that came as text is given back as it
 * was: a BOS token that the tokenizer has added is not part of it.
 */
export function echoOf(prompt: CompletionPrompt, ids: readonly number[], tokenizer: Tokenizer): PromptText {
  const decoder = tokenizer.decoder({ skipSpecial: false });
  let text = "";
  const offsets = ids.map((id, i) => {
    const { length } = text;
    const piece = decoder.push(id);
    if (i > 0 || id !== tokenizer.bosId || !isAdded(prompt, ids, piece)) text += piece;
    return length;
  });
  return { text: typeof prompt === "string" ? prompt : text + decoder.end(), ids, offsets };
}

/** Whether the tokenizer has added the BOS token before a text, which may begin with the same token itself. */
function isAdded(prompt: CompletionPrompt, [first, second]: readonly number[], bos: string): boolean {
  if (typeof prompt !== "string") return false;
  return !prompt.startsWith(first === second ? bos + bos : bos);
}
