/**
 * Keys of a BPE tokenizer that was made from a SentencePiece model, such as Gemma's.
 * @module
 */
import type { JsonObject } from "../../src/base/json.ts";
import { bad, field, list } from "./json-fields.ts";
import type { KindKeys } from "./kind-keys.ts";
import { scoresOfMerges, tokenType } from "./scores.ts";
import { mergePairs } from "./token-lists.ts";

/**
 * The keys of the kind. As llama.cpp's converter does, it changes the types of byte tokens and the spaces of user-defined
 * tokens in `tokens` and `types`.
 * @throws NibbleError `bad_tokenizer`
 */
export function sentencePieceKeys(tokenizer: JsonObject, tokens: string[], types: Int32Array): KindKeys {
  for (const [id, token] of tokens.entries()) {
    if (/^<0x[0-9A-F]{2}>$/.test(token)) types[id] = tokenType.byte;
  }
  const { scores, notes } = scoresOfMerges(tokens, types, mergePairs(tokenizer));
  for (const [id, token] of tokens.entries()) {
    if (types[id] === tokenType.userDefined) tokens[id] = token.replaceAll("▁", " ");
  }
  const prefix = spacePrefix(tokenizer);
  if (prefix === "first")
    notes.push("GGUF puts a space in front of every part of a text, but this tokenizer only in front of the first");
  return {
    metadata: [
      ["tokenizer.ggml.model", "llama"],
      ["tokenizer.ggml.pre", "default"],
      ["tokenizer.ggml.scores", scores],
      ["tokenizer.ggml.add_space_prefix", prefix !== "never"],
    ],
    notes,
  };
}

/** In front of which parts of a text the tokenizer puts a space: the parts between special tokens. */
function spacePrefix(tokenizer: JsonObject): "always" | "first" | "never" {
  const normalizers = field(tokenizer.get("normalizer"), "normalizers");
  for (const part of [tokenizer.get("normalizer"), ...list(normalizers)]) {
    const type = field(part, "type") ?? "Sequence";
    if (type === "Prepend") return "always";
    if (type !== "Replace" && type !== "Sequence")
      throw bad(`normalizer ${type} is not supported, because GGUF has no key for it`);
  }
  const stage = tokenizer.get("pre_tokenizer");
  if (field(stage, "type") !== "Metaspace") return "never";
  const legacy = field(stage, "add_prefix_space") === false ? "never" : "always";
  const scheme = field(stage, "prepend_scheme") ?? legacy;
  if (scheme === "always" || scheme === "first" || scheme === "never") return scheme;
  throw bad(`Metaspace prepend_scheme: expected always, first or never, got ${scheme}`);
}
