/**
 * The added tokens of a Hugging Face folder. They are those of tokenizer.json, and as in transformers further ones that only
 * tokenizer_config.json has.
 * @module
 */
import type { Json, JsonObject } from "../base/json.ts";
import { isObject } from "../base/json.ts";
import { getBoolean, getNumber, getString } from "../formats/typed-values.ts";
import type { AddedToken } from "./added-tokens.ts";
import { bad, listAt } from "./huggingface-json.ts";
import type { IdOf } from "./huggingface-pipeline.ts";
import { MAX_VOCABULARY } from "./vocabulary.ts";

/** Keys of tokenizer_config.json whose tokens are special, even where no list has them. */
const ROLES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/**
 * The added tokens in the order of their lists.
 * @param vocab ids of the model's own vocabulary
 * @throws NibbleError `bad_tokenizer` and the codes of src/formats/typed-values.ts
 */
export function addedTokens(tokenizer: JsonObject, config: JsonObject | undefined, vocab: JsonObject): AddedToken[] {
  const added = listAt(tokenizer, "added_tokens").map((entry, i) => {
    if (!isObject(entry)) throw bad(`added_tokens[${i}]`, "an object", entry);
    return toToken(entry, getNumber(entry, "id", { integer: true, min: 0, max: MAX_VOCABULARY - 1 }));
  });
  const known = new Set(added.map(({ content }) => content));
  for (const [key, entry] of decoderEntries(config)) {
    if (!isObject(entry)) throw bad(`added_tokens_decoder ${key}`, "an object", entry);
    const content = getString(entry, "content");
    if (known.has(content)) continue; // the flags of tokenizer.json count
    known.add(content);
    // The library numbers such tokens itself, behind all others.
    const next = Math.max(vocab.size, ...added.map(({ id }) => id + 1));
    const id = vocab.get(content) ?? next;
    if (id !== Number(key)) throw bad(`added_tokens_decoder ${JSON.stringify(content)}`, `the id ${id}`, key);
    added.push(toToken(entry, Number(key)));
  }
  for (const role of ROLES) {
    const content = contentOf(config?.get(role));
    const id = content === undefined || known.has(content) ? undefined : vocab.get(content);
    if (typeof id !== "number") continue;
    known.add(content!);
    added.push({ id, content: content!, special: true });
  }
  return added;
}

/** The entries of `added_tokens_decoder`, by ascending id. */
function decoderEntries(config: JsonObject | undefined): [key: string, entry: Json][] {
  const decoder = config?.get("added_tokens_decoder") ?? new Map<string, Json>();
  if (!isObject(decoder)) throw bad("added_tokens_decoder", "an object", decoder);
  return [...decoder].sort(([a], [b]) => Number(a) - Number(b));
}

function toToken(entry: JsonObject, id: number): AddedToken {
  const flag = (key: string): boolean => getBoolean(entry, key, { default: false });
  const content = entry.get("content");
  if (typeof content !== "string") throw bad(`added token ${id}`, "content, which is text", content ?? null);
  return {
    id,
    content,
    special: flag("special"),
    lstrip: flag("lstrip"),
    rstrip: flag("rstrip"),
    singleWord: flag("single_word"),
    normalized: flag("normalized"),
  };
}

/** The ids of tokens by their texts: added tokens, then those of the model's own vocabulary. */
export function idsByText(added: readonly AddedToken[], vocab: JsonObject): IdOf {
  const addedIds = new Map<Json, number>(added.map(({ content, id }) => [content, id]));
  return (content) => {
    const id = typeof content === "string" ? (addedIds.get(content) ?? vocab.get(content)) : undefined;
    return typeof id === "number" ? id : undefined;
  };
}

/** The text of a special token in tokenizer_config.json, which is a string or an object with `content`. */
export function contentOf(value: Json | undefined): string | undefined {
  const content = isObject(value) ? value.get("content") : value;
  return typeof content === "string" ? content : undefined;
}
