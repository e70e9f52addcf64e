/**
 * Tokenizers of GGUF files, from the metadata keys `tokenizer.ggml.*`.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Metadata } from "../formats/checkpoint.ts";
import { getStringTable } from "../formats/gguf/packed-metadata.ts";
import type { StringTable } from "../formats/string-table.ts";
import { getBoolean, getNumber, getNumbers, getString } from "../formats/typed-values.ts";
import type { AddedToken } from "./added-tokens.ts";
import { symmetric } from "./around.ts";
import { bertStage } from "./bert.ts";
import { BytePairEncoder } from "./bpe.ts";
import { byteLevel } from "./byte-level.ts";
import { Charsmap } from "./charsmap.ts";
import { bertParts } from "./huggingface-wordpiece.ts";
import { MergeTable } from "./merges.ts";
import { NAMED_PRETOKENIZERS } from "./named-pretokenizers.ts";
import { nfc } from "./nfc.ts";
import { patternStage } from "./patterns.ts";
import { mergeKind, ScoredMerges } from "./scored-merges.ts";
import { byteTokens, SPACE_MARK, sentencePiece, withoutExtraSpaces, withSpaces, wordStages } from "./sentencepiece.ts";
import type { TokenizerParts } from "./tokenizer.ts";
import { UnigramEncoder } from "./unigram.ts";
import { Vocabulary } from "./vocabulary.ts";
import { WordPieceEncoder, wordPiece } from "./wordpiece.ts";

/** Values of `tokenizer.ggml.token_type`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const UNUSED = 5;

/**
 * The parts of the tokenizer that `tokenizer.ggml.model` names: "gpt2" is byte-level BPE, "llama" is SentencePiece's BPE, "t5" its
 * unigram model.
 * @throws NibbleError `bad_tokenizer` and the codes of src/formats/typed-values.ts
 */
export function readGgufTokenizer(metadata: Metadata): TokenizerParts {
  const model = getString(metadata, "tokenizer.ggml.model");
  if (model === "gpt2") return byteLevelParts(metadata);
  if (model === "llama" || model === "t5") return sentencePieceParts(metadata, model === "t5");
  if (model === "bert") return wordPieceParts(metadata);
  throw new NibbleError(
    "bad_tokenizer",
    `tokenizer.ggml.model: expected "gpt2" (byte-level BPE), "llama" (SentencePiece's BPE), "t5" (its unigram model) or "bert" (WordPiece), got ${JSON.stringify(model)}`,
  );
}

/**
 * Where llama.cpp and Hugging Face differ, this follows Hugging Face: Qwen's text is normalised to NFC, and no token becomes
 * special only because of its spelling. Our converter writes `nibble.tokenizer.nfc` for a model that does without NFC.
 */
function byteLevelParts(metadata: Metadata): TokenizerParts {
  const pre = getString(metadata, "tokenizer.ggml.pre", { default: "default" });
  const named = NAMED_PRETOKENIZERS.get(pre);
  if (named === undefined) {
    const known = [...NAMED_PRETOKENIZERS.keys()].join(", ");
    throw new NibbleError("bad_tokenizer", `tokenizer.ggml.pre: expected one of ${known}, got ${JSON.stringify(pre)}`);
  }
  const tokens = requireStrings(metadata, "tokenizer.ggml.tokens");
  const types = tokenTypes(metadata, tokens.length);
  const vocabulary = new Vocabulary(tokens, byteLevel);
  const strings = requireStrings(metadata, "tokenizer.ggml.merges");
  const merges = new MergeTable(vocabulary, { strings, inPairs: false });
  return {
    ...specialIds(metadata, named.addBos === true),
    vocabulary,
    encoder: new BytePairEncoder(vocabulary, merges, {
      ignoreMerges: named.ignoreMerges === true,
      // Text that spells a control token stays text, unless special tokens are looked for.
      isWhole: (id) => types?.[id] !== CONTROL,
      // Byte-level BPE does not use `unknown_token_id`: SmolLM2's is 0, and yet bytes without a token vanish.
      unknownId: undefined,
      fuseUnknown: false,
    }),
    stages: named.patterns.map(patternStage),
    normalize: getBoolean(metadata, "nibble.tokenizer.nfc", { default: named.nfc === true }) ? nfc : undefined,
    added: addedTokens(tokens, types),
  };
}

/**
 * The scores take the place of the merges in Hugging Face's original. User-defined tokens merge before all others, because
 * their merges come first there (Gemma). A token of spaces alone was spelled `▁▁` in the original, and is looked for in raw
 * text by that spelling; real spaces become this token by merging.
 */
function sentencePieceParts(metadata: Metadata, isUnigram: boolean): TokenizerParts {
  const tokens = requireStrings(metadata, "tokenizer.ggml.tokens");
  const types = tokenTypes(metadata, tokens.length) ?? new Int32Array(tokens.length).fill(NORMAL);
  const scores = getNumbers(metadata, "tokenizer.ggml.scores");
  if (scores?.length !== tokens.length) {
    const message =
      scores === undefined
        ? "a score for each token is required, but the key is missing"
        : `expected ${tokens.length} numbers, got ${scores.length}`;
    throw new NibbleError("bad_tokenizer", `tokenizer.ggml.scores: ${message}`);
  }
  checkScores(scores);
  const kinds = Uint8Array.from(types, mergeKindOf);
  const vocabulary = new Vocabulary(tokens, sentencePiece);
  const prefix = getBoolean(metadata, "tokenizer.ggml.add_space_prefix", { default: true });
  const unknownId = tokenId(metadata, "unknown") ?? 0;
  if (unknownId >= tokens.length)
    throw new NibbleError(
      "bad_tokenizer",
      `tokenizer.ggml.unknown_token_id: expected an id below ${tokens.length}, got ${unknownId}`,
    );
  const byteFallback = byteTokens(tokens);
  const ids = specialIds(metadata, true);
  return {
    ...ids,
    bosId: ids.bosId ?? 1, // llama.cpp's defaults for this kind of vocabulary
    eosId: ids.eosId ?? 2,
    vocabulary,
    encoder: isUnigram
      ? new UnigramEncoder(vocabulary, {
          scores,
          isText: (id) => kinds[id] !== mergeKind.never,
          unknownId,
          byteFallback,
        })
      : new BytePairEncoder(vocabulary, new ScoredMerges(vocabulary, scores, kinds), {
          ignoreMerges: false,
          unknownId,
          fuseUnknown: true,
          byteFallback,
        }),
    stages: wordStages(vocabulary),
    normalize: sentencePieceNormalizer(metadata, prefix),
    added: addedTokens(tokens, types).map((token) =>
      /^ +$/.test(token.content) ? { ...token, content: SPACE_MARK.repeat(token.content.length) } : token,
    ),
    decoding: { eachByte: true, ...(prefix ? { strip: "space" } : {}) },
  };
}

/** Scores decide between tokens, which only finite ones can. @throws NibbleError `bad_tokenizer` */
function checkScores(scores: ArrayLike<number>): void {
  for (let id = 0; id < scores.length; id++)
    if (!Number.isFinite(scores[id]))
      throw new NibbleError(
        "bad_tokenizer",
        `tokenizer.ggml.scores: expected finite numbers, got ${scores[id]} for id ${id}`,
      );
}

/** The steps of SentencePiece's normaliser: its map of characters, spaces that are too many, and the space in front. */
function sentencePieceNormalizer(metadata: Metadata, prefix: boolean): (text: string, isFirst?: boolean) => string {
  const bytes = getNumbers(metadata, "tokenizer.ggml.precompiled_charsmap") ?? [];
  const map = bytes.length > 0 ? new Charsmap(Uint8Array.from(bytes)) : undefined;
  const removesExtra = getBoolean(metadata, "tokenizer.ggml.remove_extra_whitespaces", { default: false });
  // SentencePiece itself puts the space in front of a whole text; llama.cpp does so after each added token, too.
  const onlyFirst = getBoolean(metadata, "nibble.tokenizer.space_prefix_first", { default: false });
  return (text, isFirst) => {
    const mapped = withSpaces(map === undefined ? text : map.normalize(text));
    const spaced = removesExtra ? withoutExtraSpaces(mapped) : mapped;
    const isEmpty = removesExtra && spaced === "";
    return prefix && !isEmpty && (isFirst || !onlyFirst) ? ` ${spaced}` : spaced;
  };
}

function mergeKindOf(type: number): number {
  if (type === USER_DEFINED) return mergeKind.first;
  return type === NORMAL || type === UNUSED ? mergeKind.byScore : mergeKind.never;
}

/**
 * BERT's vocabulary. As in llama.cpp, `[CLS]` and `[SEP]` stand around a text whatever the keys say, and accents are stripped
 * where text is made lower case. Our converter writes `nibble.tokenizer.strip_accents` for a model that differs.
 */
function wordPieceParts(metadata: Metadata): TokenizerParts {
  const tokens = requireStrings(metadata, "tokenizer.ggml.tokens");
  const vocabulary = new Vocabulary(tokens, wordPiece);
  const lowercase = getBoolean(metadata, "tokenizer.ggml.normalizer.lowercase", { default: true });
  const stripAccents = getBoolean(metadata, "nibble.tokenizer.strip_accents", { default: lowercase });
  const first = (...names: string[]): number => {
    for (const name of names) {
      const id = tokenId(metadata, name);
      if (id !== undefined) return id;
    }
    throw new NibbleError("missing_key", `tokenizer.ggml.${names[0]}_token_id: this tokenizer needs it`);
  };
  const [bosId, eosId] = [first("bos", "cls"), first("seperator", "eos")];
  return {
    ...bertParts({ cleanText: true, spaceIdeographs: true, stripAccents, lowercase }),
    vocabulary,
    encoder: new WordPieceEncoder(vocabulary, { unknownId: first("unknown"), maxCharacters: 100 }),
    stages: [bertStage],
    added: addedTokens(tokens, tokenTypes(metadata, tokens.length)),
    bosId,
    eosId,
    endIds: [],
    addBos: true,
    around: symmetric([bosId], [eosId], []),
  };
}

/** BOS, EOS and the other tokens that end a turn. */
export function specialIds(
  metadata: Metadata,
  addBosDefault: boolean,
): Pick<TokenizerParts, "bosId" | "eosId" | "endIds" | "addBos" | "around"> {
  const flag = (name: string, missing: boolean): boolean =>
    getBoolean(metadata, `tokenizer.ggml.add_${name}_token`, { default: missing });
  const one = (asked: boolean, name: string): number[] => {
    const id = asked ? tokenId(metadata, name) : undefined;
    return id === undefined ? [] : [id];
  };
  const addBos = flag("bos", addBosDefault);
  const endIds = [tokenId(metadata, "eot"), tokenId(metadata, "eom")].filter((id) => id !== undefined);
  return {
    bosId: tokenId(metadata, "bos"),
    eosId: tokenId(metadata, "eos"),
    endIds: [...endIds, ...Array.from(getNumbers(metadata, "nibble.end_token_ids") ?? [])],
    addBos,
    around: symmetric(one(addBos, "bos"), one(flag("eos", false), "eos"), one(flag("sep", false), "seperator")),
  };
}

const tokenId = (metadata: Metadata, name: string): number | undefined =>
  optionalId(metadata, `tokenizer.ggml.${name}_token_id`);

/** The type of each token by `tokenizer.ggml.token_type`, if the file has that key. */
function tokenTypes(metadata: Metadata, count: number): ArrayLike<number> | undefined {
  const types = getNumbers(metadata, "tokenizer.ggml.token_type");
  if (types === undefined) return undefined;
  if (types.length !== count) {
    throw new NibbleError("bad_tokenizer", `tokenizer.ggml.token_type: expected ${count} types, got ${types.length}`);
  }
  for (let id = 0; id < count; id++) {
    const type = types[id]!;
    if (!(type >= 1 && type <= 6)) {
      throw new NibbleError("bad_tokenizer", `tokenizer.ggml.token_type: expected 1 to 6, got ${type} for id ${id}`);
    }
  }
  return types;
}

function addedTokens(tokens: StringTable, types: ArrayLike<number> | undefined): AddedToken[] {
  if (types === undefined) return [];
  const added: AddedToken[] = [];
  for (let id = 0; id < tokens.length; id++) {
    const special = types[id] === UNKNOWN || types[id] === CONTROL;
    if (special || types[id] === USER_DEFINED) added.push({ id, content: tokens.at(id), special });
  }
  return added;
}

function requireStrings(metadata: Metadata, key: string): StringTable {
  const strings = getStringTable(metadata, key);
  if (strings === undefined)
    throw new NibbleError("missing_key", `${key}: an array of strings is required, but the key is missing`);
  return strings;
}

/** The token id that the file has under `key`, if any. */
export function optionalId(metadata: Metadata, key: string): number | undefined {
  return metadata.has(key) ? getNumber(metadata, key, { integer: true, min: 0 }) : undefined;
}
