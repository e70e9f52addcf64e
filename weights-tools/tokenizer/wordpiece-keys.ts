/**
 * Keys of BERT's tokenizer, and its vocabulary as GGUF spells it.
 * @module
 */
import type { JsonObject } from "../../src/base/json.ts";
import { aroundOf } from "../../src/tokenizer/around.ts";
import { ggufSpelling } from "../../src/tokenizer/wordpiece.ts";
import { bad, field } from "./json-fields.ts";
import type { KindKeys } from "./kind-keys.ts";
import { tokenType } from "./scores.ts";

/**
 * `[CLS]` is BERT's BOS token in GGUF, and `[SEP]` its EOS token.
 * @param tokens by id; normal ones are respelled in place
 * @throws NibbleError `bad_tokenizer` for a normaliser or a limit that GGUF has no key for
 */
export function wordPieceKeys(tokenizer: JsonObject, tokens: string[], types: Int32Array): KindKeys {
  const model = tokenizer.get("model");
  const prefix = field(model, "continuing_subword_prefix") ?? "##";
  const limit = field(model, "max_input_chars_per_word") ?? 100;
  if (limit !== 100) throw bad(`max_input_chars_per_word: expected 100, which readers of GGUF have, got ${limit}`);
  const normalizer = tokenizer.get("normalizer");
  for (const key of ["clean_text", "handle_chinese_chars"])
    if (field(normalizer, key) === false) throw bad(`normalizer ${key}: false has no key in GGUF`);
  const lowercase = field(normalizer, "lowercase") !== false;
  const stripAccents = field(normalizer, "strip_accents") ?? lowercase;
  const around = aroundOf(tokenizer, (content) => {
    const id = typeof content === "string" ? tokens.indexOf(content) : -1;
    return id < 0 ? undefined : id;
  });
  const [cls, sep] = [around.before[0], around.after[0]];
  if (cls === undefined || sep === undefined) throw bad("the post-processor puts no token before or behind a text");
  for (const [id, token] of tokens.entries())
    if (types[id] === tokenType.normal) tokens[id] = ggufSpelling(token, String(prefix));
  return {
    metadata: [
      ["tokenizer.ggml.model", "bert"],
      ["tokenizer.ggml.pre", "default"],
      ["tokenizer.ggml.bos_token_id", cls],
      ["tokenizer.ggml.eos_token_id", sep],
      ["tokenizer.ggml.cls_token_id", cls],
      ["tokenizer.ggml.seperator_token_id", sep],
      ["tokenizer.ggml.add_sep_token", false],
      ["tokenizer.ggml.normalizer.lowercase", lowercase],
      ...(stripAccents === lowercase ? [] : [["nibble.tokenizer.strip_accents", stripAccents === true] as const]),
    ],
    notes: [],
  };
}
