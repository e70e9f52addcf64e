/**
 * A tokenizer.json with SentencePiece's unigram model, such as those of XLM-RoBERTa and T5.
 * @module
 */
import type { Json, JsonObject } from "../base/json.ts";
import type { Metadata } from "../formats/checkpoint.ts";
import { StringTable } from "../formats/string-table.ts";
import { getBoolean, getNumber } from "../formats/typed-values.ts";
import { addedTokens, idsByText } from "./huggingface-added.ts";
import { bad, listAt, objectAt } from "./huggingface-json.ts";
import { marksSpaces, pieceDecoding, pieceNormalizer, pieceStages } from "./huggingface-pipeline.ts";
import { tokenRoles } from "./huggingface-roles.ts";
import { tokensById } from "./huggingface-tokens.ts";
import { byteTokens, sentencePiece, wordStages } from "./sentencepiece.ts";
import type { TokenizerParts } from "./tokenizer.ts";
import { UnigramEncoder } from "./unigram.ts";
import { Vocabulary } from "./vocabulary.ts";

/**
 * The parts of the tokenizer. A token of the model that is special among the added tokens is never the result of its text
 * alone.
 * @throws NibbleError `bad_tokenizer` and the codes of src/formats/typed-values.ts
 */
export function readUnigram(tokenizer: JsonObject, config: JsonObject | undefined, metadata: Metadata): TokenizerParts {
  const model = objectAt(tokenizer, "model");
  const { vocab, scores } = readScores(model);
  const added = addedTokens(tokenizer, config, vocab);
  const tokens = StringTable.of(tokensById(vocab, added));
  const special = new Set(added.filter((token) => token.special).map(({ id }) => id));
  const hasBytes = getBoolean(model, "byte_fallback", { default: false });
  const vocabulary = new Vocabulary(tokens, sentencePiece);
  return {
    vocabulary,
    encoder: new UnigramEncoder(vocabulary, {
      scores,
      isText: (id) => id < scores.length && !special.has(id),
      unknownId: getNumber(model, "unk_id", { integer: true, min: 0, max: scores.length - 1 }),
      byteFallback: hasBytes ? byteTokens(tokens) : new Int32Array(256).fill(-1),
    }),
    normalize: pieceNormalizer(tokenizer),
    marksSpaces: marksSpaces(tokenizer),
    stages: [...pieceStages(tokenizer), ...wordStages(vocabulary)],
    decoding: pieceDecoding(tokenizer, hasBytes),
    added,
    ...tokenRoles({ tokenizer, config, metadata, idOf: idsByText(added, vocab) }),
  };
}

/**
 * The ids of the tokens by their texts, and their scores by id. The file has a list of pairs.
 * @throws NibbleError `bad_tokenizer`
 */
export function readScores(model: JsonObject): { vocab: Map<string, Json>; scores: Float64Array } {
  const pairs = listAt(model, "vocab");
  const vocab = new Map<string, Json>();
  const scores = new Float64Array(pairs.length);
  for (const [id, pair] of pairs.entries()) {
    const [token, score, ...rest] = Array.isArray(pair) ? (pair as readonly Json[]) : [];
    if (typeof token !== "string" || typeof score !== "number" || rest.length > 0)
      throw bad(`model.vocab[${id}]`, "a token and its score", pair);
    if (vocab.has(token)) throw bad(`model.vocab[${id}]`, "a token that is there once", token);
    vocab.set(token, id);
    scores[id] = score;
  }
  if (pairs.length === 0) throw bad("model.vocab", "a list of tokens and their scores", null);
  return { vocab, scores };
}
