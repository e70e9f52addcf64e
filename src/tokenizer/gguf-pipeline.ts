/**
 * Tokenizers of GGUF files whose steps llama.cpp's keys cannot express. Our converter then writes the steps as they stand in
 * tokenizer.json, and here they are put together with the file's vocabulary and merges again.
 *
 * `nibble.tokenizer.pipeline` is tokenizer.json without `model.vocab` and `model.merges`; each of its `added_tokens` has
 * `in_vocab` if the model's own vocabulary has it too.
 * @module
 */
import { type Json, type JsonObject, parseJsonObject } from "../base/json.ts";
import type { Metadata } from "../formats/checkpoint.ts";
import { getNumbers, getString, getStrings } from "../formats/typed-values.ts";
import { specialIds } from "./gguf.ts";
import { readHuggingFaceTokenizer } from "./huggingface.ts";
import { bad, listAt, objectAt } from "./huggingface-json.ts";
import type { TokenizerParts } from "./tokenizer.ts";

export const PIPELINE_KEY = "nibble.tokenizer.pipeline";

/** `tokenizer.ggml.token_type` of a row without a token. */
const UNUSED = 5;

/** @throws NibbleError `bad_tokenizer`, `bad_json` and the codes of src/formats/typed-values.ts */
export function readPipelineTokenizer(metadata: Metadata): TokenizerParts {
  const pipeline = parseJsonObject(getString(metadata, PIPELINE_KEY), { name: PIPELINE_KEY });
  const tokens = getStrings(metadata, "tokenizer.ggml.tokens") ?? [];
  const types = getNumbers(metadata, "tokenizer.ggml.token_type") ?? [];
  const added = listAt(pipeline, "added_tokens") as readonly JsonObject[];
  const ids = new Map(added.map((token) => [token.get("id"), token] as const));
  const vocab = new Map<string, Json>();
  for (let id = 0; id < tokens.length; id++) {
    const token = ids.get(id);
    const content = token?.get("content") ?? tokens[id]!;
    if (typeof content !== "string") throw bad(`${PIPELINE_KEY}, added token ${id}`, "text", content);
    if (token === undefined ? types[id] !== UNUSED : token.get("in_vocab") === true) vocab.set(content, id);
  }
  const settings = objectAt(pipeline, "model");
  const lists: [string, Json][] =
    settings.get("type") === "Unigram"
      ? [["vocab", scoredTokens(vocab, getNumbers(metadata, "tokenizer.ggml.scores") ?? [])]]
      : [
          ["vocab", vocab],
          ["merges", getStrings(metadata, "tokenizer.ggml.merges") ?? []],
        ];
  const model = new Map<string, Json>([...settings, ...lists]);
  const parts = readHuggingFaceTokenizer(new Map<string, Json>([...pipeline, ["model", model]]), undefined, metadata);
  return { ...parts, ...specialIds(metadata, parts.addBos) };
}

/** The vocabulary of a unigram model as tokenizer.json has it: pairs in the order of the ids. */
const scoredTokens = (vocab: ReadonlyMap<string, Json>, scores: ArrayLike<number>): Json =>
  Array.from(vocab, ([token, id]) => [token, scores[Number(id)] ?? 0]);
