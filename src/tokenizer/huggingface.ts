/**
 * Tokenizers of Hugging Face folders: tokenizer.json (the library's own format) and tokenizer_config.json.
 * @module
 */
import { NibbleError } from "../errors.ts";
import { isObject } from "../formats/json.ts";
import { getBoolean, getNumber, getNumbers, getString } from "../formats/metadata.ts";
import type { Json, JsonObject, Metadata } from "../formats/types.ts";
import type { AddedToken } from "./added-tokens.ts";
import { BytePairEncoder } from "./bpe.ts";
import { optionalId } from "./gguf.ts";
import { type Merge, MergeTable } from "./merges.ts";
import { nfc } from "./nfc.ts";
import {
  byteLevelStage,
  digitsStage,
  MAX_STAGES,
  matchesEverything,
  patternStage,
  type Stage,
} from "./pretokenizer.ts";
import type { TokenizerParts } from "./tokenizer.ts";
import { MAX_VOCABULARY, Vocabulary } from "./vocabulary.ts";

/**
 * The parts of a byte-level BPE tokenizer.
 * @param metadata gives `nibble.end_token_ids` and, where tokenizer_config.json names no tokens, bos and eos
 * @throws NibbleError `bad_tokenizer` and the codes of src/formats/metadata.ts
 */
export function readHuggingFaceTokenizer(
  tokenizer: JsonObject,
  config: JsonObject | undefined,
  metadata: Metadata,
): TokenizerParts {
  const model = objectAt(tokenizer, "model");
  refuseOtherModels(model);
  expectByteLevelDecoder(tokenizer.get("decoder") ?? null);
  const added = addedTokens(listAt(tokenizer, "added_tokens"));
  const tokens = tokensById(objectAt(model, "vocab"), added);
  const vocabulary = new Vocabulary(tokens);
  const merges = new MergeTable(vocabulary, listAt(model, "merges").map(toMerge));
  const idOf = new Map<Json | undefined, number>();
  for (const [id, token] of tokens.entries()) if (token !== undefined) idOf.set(token, id);
  const configId = (key: string): number | undefined => idOf.get(contentOf(config?.get(key)));
  const unknown = model.get("unk_token") ?? undefined;
  if (unknown !== undefined && !(typeof unknown === "string" && idOf.has(unknown))) {
    throw bad("model.unk_token", "a token of the vocabulary", unknown);
  }
  const templateBos = templateBosId(tokenizer.get("post_processor") ?? null, idOf);
  return {
    vocabulary,
    encoder: new BytePairEncoder(vocabulary, merges, {
      ignoreMerges: getBoolean(model, "ignore_merges", { default: false }),
      unknownId: idOf.get(unknown),
      fuseUnknown: getBoolean(model, "fuse_unk", { default: false }),
    }),
    stages: stagesOf(tokenizer.get("pre_tokenizer") ?? null),
    normalize: normalizes(tokenizer.get("normalizer") ?? null) ? nfc : undefined,
    added,
    bosId: templateBos ?? configId("bos_token") ?? optionalId(metadata, "tokenizer.ggml.bos_token_id"),
    eosId: configId("eos_token") ?? optionalId(metadata, "tokenizer.ggml.eos_token_id"),
    endIds: Array.from(getNumbers(metadata, "nibble.end_token_ids") ?? []),
    addBos: templateBos !== undefined || getBoolean(config ?? new Map(), "add_bos_token", { default: false }),
  };
}

function refuseOtherModels(model: JsonObject): void {
  const type = model.get("type") ?? "BPE"; // older files leave it out
  if (type !== "BPE") throw bad("model.type", '"BPE"', type);
  if (getBoolean(model, "byte_fallback", { default: false })) throw bad("model.byte_fallback", "false", true);
  for (const key of ["continuing_subword_prefix", "end_of_word_suffix"]) {
    if (getString(model, key, { default: "" }) !== "") throw bad(`model.${key}`, "none", model.get(key)!);
  }
}

/** Token texts by id. */
function tokensById(vocab: JsonObject, added: readonly AddedToken[]): (string | undefined)[] {
  const tokens: (string | undefined)[] = [];
  const set = (content: string, id: Json | undefined): void => {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= MAX_VOCABULARY) {
      throw bad(`the id of ${JSON.stringify(content)}`, `a whole number below ${MAX_VOCABULARY}`, id ?? null);
    }
    if (tokens[id] !== undefined && tokens[id] !== content) {
      throw bad(`id ${id}`, `one token, ${JSON.stringify(tokens[id])}`, content);
    }
    while (tokens.length < id) tokens.push(undefined);
    tokens[id] = content;
  };
  for (const [content, id] of vocab) set(content, id);
  for (const { content, id } of added) set(content, id);
  return tokens;
}

function addedTokens(list: readonly Json[]): AddedToken[] {
  return list.map((entry, i) => {
    if (!isObject(entry)) throw bad(`added_tokens[${i}]`, "an object", entry);
    const flag = (key: string): boolean => getBoolean(entry, key, { default: false });
    return {
      id: getNumber(entry, "id", { integer: true, min: 0, max: MAX_VOCABULARY - 1 }),
      content: getString(entry, "content"),
      special: flag("special"),
      lstrip: flag("lstrip"),
      rstrip: flag("rstrip"),
      singleWord: flag("single_word"),
      normalized: flag("normalized"),
    };
  });
}

function toMerge(merge: Json, rank: number): Merge {
  if (typeof merge === "string") return merge;
  if (Array.isArray(merge) && merge.length === 2) {
    const [left, right] = merge as readonly Json[];
    if (typeof left === "string" && typeof right === "string") return [left, right];
  }
  throw bad(`merge ${rank}`, "two tokens", merge);
}

/** The components of a normalizer, pre_tokenizer, post_processor or decoder, with sequences laid flat. */
function components(json: Json, list: string): JsonObject[] {
  if (json === null) return [];
  if (!isObject(json)) throw bad(list, "an object", json);
  if (json.get("type") !== "Sequence") return [json];
  return listAt(json, list).flatMap((part) => components(part, list)); // parseJson bounds the depth
}

function stagesOf(json: Json): Stage[] {
  const parts = components(json, "pretokenizers");
  const last = parts.at(-1)?.get("type") ?? null;
  if (last !== "ByteLevel") throw bad("pre_tokenizer", "ByteLevel at the end", last);
  if (parts.length > MAX_STAGES) throw bad("pre_tokenizer", `at most ${MAX_STAGES} stages`, parts.length);
  return parts.map((part, i) => {
    const type = part.get("type") ?? null;
    if (type === "Split") return splitStage(part);
    if (type === "Digits") return digitsStage(getBoolean(part, "individual_digits", { default: false }));
    if (type !== "ByteLevel" || i < parts.length - 1) throw bad("pre_tokenizer", "Split, Digits, then ByteLevel", type);
    return byteLevelStage({
      useRegex: getBoolean(part, "use_regex", { default: true }),
      prefixSpace: getBoolean(part, "add_prefix_space", { default: true }),
    });
  });
}

function splitStage(part: JsonObject): Stage {
  const behavior = getString(part, "behavior");
  const invert = getBoolean(part, "invert", { default: false });
  const pattern = getString(objectAt(part, "pattern"), "Regex");
  // "Removed, inverted" drops what the pattern does not match: for the patterns that match everything, nothing.
  if (behavior !== "Isolated" && !(behavior === "Removed" && invert && matchesEverything(pattern))) {
    throw bad("pre_tokenizer Split behavior", '"Isolated"', behavior);
  }
  return patternStage(pattern);
}

/** Whether text is normalised to form C, the only normaliser of byte-level models. */
function normalizes(json: Json): boolean {
  const types = components(json, "normalizers").map((part) => part.get("type") ?? null);
  for (const type of types) if (type !== "NFC") throw bad("normalizer", "NFC or none", type);
  return types.length > 0;
}

function expectByteLevelDecoder(json: Json): void {
  for (const part of components(json, "decoders")) if (part.get("type") === "ByteLevel") return;
  throw bad("decoder", "ByteLevel", json);
}

/** The token that a TemplateProcessing puts in front of a text. What it puts behind is for training, and left out. */
function templateBosId(json: Json, idOf: ReadonlyMap<Json | undefined, number>): number | undefined {
  let bosId: number | undefined;
  for (const part of components(json, "processors")) {
    const type = part.get("type") ?? null;
    if (type === "ByteLevel") continue;
    if (type !== "TemplateProcessing") throw bad("post_processor", "ByteLevel or TemplateProcessing", type);
    for (const item of listAt(part, "single")) {
      const token = isObject(item) ? item.get("SpecialToken") : undefined;
      if (!isObject(token)) break;
      if (bosId !== undefined) throw bad("post_processor", "one token in front of a text", item);
      const content = token.get("id");
      bosId = idOf.get(content);
      if (bosId === undefined) throw bad("post_processor", "a token of the vocabulary", content ?? null);
    }
  }
  return bosId;
}

/** Special tokens of tokenizer_config.json are texts, or objects with a `content`. */
function contentOf(value: Json | undefined): string | undefined {
  const content = isObject(value) ? value.get("content") : value;
  return typeof content === "string" ? content : undefined;
}

function objectAt(values: JsonObject, key: string): JsonObject {
  const value = values.get(key);
  if (!isObject(value)) throw bad(key, "an object", value ?? null);
  return value;
}

function listAt(values: JsonObject, key: string): readonly Json[] {
  const value = values.get(key) ?? [];
  if (!Array.isArray(value)) throw bad(key, "a list", value);
  return value;
}

function bad(what: string, expected: string, got: Json): NibbleError {
  const shown = isObject(got) ? "an object" : Array.isArray(got) ? `a list of ${got.length}` : JSON.stringify(got);
  return new NibbleError("bad_tokenizer", `tokenizer.json, ${what}: expected ${expected}, got ${shown}`);
}
