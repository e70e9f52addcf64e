/**
 * Tokenizers of Hugging Face folders: tokenizer.json (the library's own format) and tokenizer_config.json.
 * @module
 */
import type { Json, JsonObject } from "../base/json.ts";
import type { Metadata } from "../formats/checkpoint.ts";
import { StringTable } from "../formats/string-table.ts";
import { getBoolean, getString } from "../formats/typed-values.ts";
import { BytePairEncoder } from "./bpe.ts";
import { byteLevel } from "./byte-level.ts";
import { addedTokens, idsByText } from "./huggingface-added.ts";
import { bad, listAt, objectAt } from "./huggingface-json.ts";
import {
  byteLevelNormalizer,
  byteLevelStages,
  expectByteLevelDecoder,
  marksSpaces,
  pieceDecoding,
  pieceNormalizer,
  pieceStages,
} from "./huggingface-pipeline.ts";
import { tokenRoles } from "./huggingface-roles.ts";
import { tokensById } from "./huggingface-tokens.ts";
import { readUnigram } from "./huggingface-unigram.ts";
import { readWordPiece } from "./huggingface-wordpiece.ts";
import { type MergeList, MergeTable } from "./merges.ts";
import { byteTokens, sentencePiece, wordStages } from "./sentencepiece.ts";
import type { TokenizerParts } from "./tokenizer.ts";
import { Vocabulary } from "./vocabulary.ts";

/**
 * The parts of a BPE tokenizer. One with `byte_fallback` is SentencePiece's, and any other is byte-level.
 * @param metadata has `nibble.end_token_ids`, and the ids of BOS and EOS for a tokenizer_config.json that names none
 * @throws NibbleError `bad_tokenizer` and the codes of src/formats/typed-values.ts
 */
export function readHuggingFaceTokenizer(
  tokenizer: JsonObject,
  config: JsonObject | undefined,
  metadata: Metadata,
): TokenizerParts {
  const model = objectAt(tokenizer, "model");
  if (model.get("type") === "WordPiece") return readWordPiece(tokenizer, config);
  if (model.get("type") === "Unigram") return readUnigram(tokenizer, config, metadata);
  refuseOtherModels(model);
  const vocab = objectAt(model, "vocab");
  const added = addedTokens(tokenizer, config, vocab);
  const tokens = StringTable.of(tokensById(vocab, added));
  const isPieces = getBoolean(model, "byte_fallback", { default: false });
  const isOnlyAdded = new Set(added.filter(({ content }) => !vocab.has(content)).map(({ id }) => id));
  const vocabulary = new Vocabulary(tokens, isPieces ? sentencePiece : byteLevel, (id) => isOnlyAdded.has(id));
  const merges = new MergeTable(vocabulary, mergeList(listAt(model, "merges")));
  const idOf = idsByText(added, vocab);
  const unknown = model.get("unk_token") ?? undefined;
  const unknownId = idOf(unknown);
  if (unknown !== undefined && unknownId === undefined) {
    throw bad("model.unk_token", "a token of the vocabulary", unknown);
  }
  return {
    vocabulary,
    encoder: new BytePairEncoder(vocabulary, merges, {
      ignoreMerges: ignoresMerges(tokenizer),
      unknownId,
      fuseUnknown: getBoolean(model, "fuse_unk", { default: false }),
      ...(isPieces ? { byteFallback: byteTokens(tokens) } : {}),
    }),
    ...(isPieces ? piecePipeline(tokenizer, vocabulary) : byteLevelPipeline(tokenizer)),
    added,
    ...tokenRoles({ tokenizer, config, metadata, idOf }),
  };
}

/** Whether a piece that is a token as it stands becomes that token, whatever the merges say. */
const ignoresMerges = (tokenizer: JsonObject): boolean =>
  getBoolean(objectAt(tokenizer, "model"), "ignore_merges", { default: false });

type Pipeline = Pick<TokenizerParts, "stages" | "normalize" | "marksSpaces" | "decoding">;

function byteLevelPipeline(tokenizer: JsonObject): Pipeline {
  expectByteLevelDecoder(tokenizer);
  return { stages: byteLevelStages(tokenizer), normalize: byteLevelNormalizer(tokenizer) };
}

function piecePipeline(tokenizer: JsonObject, vocabulary: Vocabulary): Pipeline {
  return {
    normalize: pieceNormalizer(tokenizer),
    marksSpaces: marksSpaces(tokenizer),
    // Words may be cut further only where a whole piece is not looked up.
    stages: [...pieceStages(tokenizer), ...(ignoresMerges(tokenizer) ? [] : wordStages(vocabulary))],
    decoding: pieceDecoding(tokenizer),
  };
}

function refuseOtherModels(model: JsonObject): void {
  const type = model.get("type") ?? "BPE"; // older files leave it out
  if (type !== "BPE") throw bad("model.type", '"BPE", "Unigram" or "WordPiece"', type);
  for (const key of ["continuing_subword_prefix", "end_of_word_suffix"]) {
    if (getString(model, key, { default: "" }) !== "") throw bad(`model.${key}`, "none", model.get(key)!);
  }
}

/** Older files write a merge as `"a b"`, newer ones as `["a", "b"]`. */
function mergeList(merges: readonly Json[]): MergeList {
  const inPairs = typeof merges[0] !== "string";
  const strings: string[] = [];
  for (const [rank, merge] of merges.entries()) {
    const parts: readonly Json[] = Array.isArray(merge) ? (merge as readonly Json[]) : [merge];
    if (parts.length !== (inPairs ? 2 : 1)) throw bad(`merge ${rank}`, "two tokens", merge);
    for (const part of parts) {
      if (typeof part !== "string") throw bad(`merge ${rank}`, "two tokens", merge);
      strings.push(part);
    }
  }
  return { strings: StringTable.of(strings), inPairs };
}
