/**
 * A Hugging Face tokenizer as GGUF's `tokenizer.*` keys, as llama.cpp's converter writes them (gguf-py/gguf/vocab.py,
 * conversion/base.py). Byte-level BPE, SentencePiece's BPE and unigram models and WordPiece are supported; other kinds are refused.
 * @module
 */
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { HuggingFaceFiles, Metadata, MetadataValue } from "../../src/formats/checkpoint.ts";
import { getNumbers, getStrings } from "../../src/formats/typed-values.ts";
import { aroundOf } from "../../src/tokenizer/around.ts";
import { PIPELINE_KEY, readPipelineTokenizer } from "../../src/tokenizer/gguf-pipeline.ts";
import { addedTokens } from "../../src/tokenizer/huggingface-added.ts";
import { readScores } from "../../src/tokenizer/huggingface-unigram.ts";
import { byteLevelKeys } from "./byte-level-keys.ts";
import { bad, object } from "./json-fields.ts";
import { flagNote, pipelineText } from "./pipeline.ts";
import { tokenType } from "./scores.ts";
import { FIRST_PREFIX, sentencePieceKeys } from "./sentencepiece-keys.ts";
import { addsTokens, specialIds } from "./special-tokens.ts";
import { mergeTexts, tokenLists } from "./token-lists.ts";
import { unigramKeys } from "./unigram-keys.ts";
import { wordPieceKeys } from "./wordpiece-keys.ts";

/** The keys to write, and notes on facts that GGUF has no key for. */
export interface GgufTokenizer {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly notes: readonly string[];
}

/**
 * The keys of a tokenizer.
 * @param vocabSize rows of the embedding; ids that the tokenizer does not use become `[PADn]`
 * @throws NibbleError `bad_tokenizer`
 */
export function ggufTokenizer(files: HuggingFaceFiles, vocabSize: number): GgufTokenizer {
  const { tokenizer, tokenizerConfig } = files;
  if (tokenizer === undefined) throw bad("the file is missing");
  const model = object(tokenizer.get("model"), "model");
  const kind = model.get("type") ?? "BPE";
  if (kind !== "BPE" && kind !== "WordPiece" && kind !== "Unigram")
    throw bad(`model.type ${kind} is not supported; BPE, Unigram and WordPiece are`);
  const unigram = kind === "Unigram" ? readScores(model) : undefined;
  const vocab = unigram?.vocab ?? object(model.get("vocab"), "model.vocab");
  const added = addedTokens(tokenizer, tokenizerConfig, vocab);
  const { tokens, types } = tokenLists(vocab, added, vocabSize);
  const isSentencePiece = kind === "BPE" && model.get("byte_fallback") === true;
  const kindKeys =
    kind === "WordPiece"
      ? wordPieceKeys(tokenizer, tokens, types)
      : unigram
        ? unigramKeys(tokenizer, { tokens, types, scores: unigram.scores })
        : isSentencePiece
          ? sentencePieceKeys(tokenizer, tokens, types)
          : byteLevelKeys(tokenizer);
  const flags = flagNote(tokenizer, added);
  const facts = flags === undefined ? kindKeys.notes : [...kindKeys.notes, flags];
  const metadata = new Map<string, MetadataValue>([
    ...kindKeys.metadata,
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.token_type", types],
  ]);
  // A kind may know its special tokens better than the settings.
  for (const [key, id] of specialIds(files, added, vocabSize)) if (!metadata.has(key)) metadata.set(key, id);
  const adds = addsTokens(tokenizer, tokenizerConfig);
  // llama.cpp's converter has this rule for SmolLM2, whose vocabulary is the one of 49,152 tokens: no BOS is added.
  metadata.set("tokenizer.ggml.add_bos_token", adds.bos === true && vocabSize !== 49152);
  if (adds.eos !== undefined) metadata.set("tokenizer.ggml.add_eos_token", adds.eos);
  addEnds(tokenizer, added, metadata);
  for (const [key, value] of templateKeys(files.chatTemplates)) metadata.set(key, value);
  if (facts.length === 0 || kind === "WordPiece") return { metadata, notes: facts };
  const merges = isSentencePiece ? [["tokenizer.ggml.merges", mergeTexts(tokenizer)] as const] : [];
  const kept = new Map([...metadata, ...merges, [PIPELINE_KEY, pipelineText(tokenizer, vocab, added)] as const]);
  try {
    readPipelineTokenizer(kept);
  } catch (error) {
    // GGUF's keys come close, but steps that this library cannot follow cannot be kept.
    if (kindKeys.isUnnamed) throw error;
    return { metadata, notes: facts };
  }
  return { metadata: kept, notes: facts.map((fact) => `${fact}; only nibble follows it, by the key ${PIPELINE_KEY}`) };
}

/** A GGUF ends texts with its EOS token, so the post-processor's token must be that one. Adds what stands between two texts. */
function addEnds(
  tokenizer: JsonObject,
  added: readonly { content: string; id: number }[],
  metadata: Map<string, MetadataValue>,
): void {
  // A token that the file does not have is another error, which reading the tokenizer tells.
  const idOf = (content: Json | undefined) => added.find((token) => token.content === content)?.id ?? -1;
  const { after, pair } = aroundOf(tokenizer, idOf);
  const ends = after.filter((id) => id >= 0);
  if (ends.length > 1 || (ends.length === 1 && ends[0] !== metadata.get("tokenizer.ggml.eos_token_id")))
    throw bad(`the post-processor puts the tokens ${ends} behind a text, and GGUF can only name EOS`);
  // RoBERTa has a second separator between two texts.
  const separator = pair.between[ends.length];
  if (ends.length > 0 && separator !== undefined && separator === metadata.get("tokenizer.ggml.seperator_token_id"))
    metadata.set("tokenizer.ggml.add_sep_token", true);
}

const FIRST_NOTE = `${FIRST_PREFIX}; only nibble follows it, by the key nibble.tokenizer.space_prefix_first`;

/**
 * The keys of a tokenizer.model, which are in the metadata already.
 * @param vocabSize as in `ggufTokenizer`
 */
export function paddedTokenizer(
  metadata: Metadata,
  { chatTemplates }: HuggingFaceFiles,
  vocabSize: number,
): GgufTokenizer {
  const tokens = [...(getStrings(metadata, "tokenizer.ggml.tokens") ?? [])];
  const types = new Int32Array(vocabSize).fill(tokenType.unused);
  const scores = new Float32Array(vocabSize);
  if (tokens.length > vocabSize) throw bad(`expected at most ${vocabSize} tokens, got ${tokens.length}`);
  types.set(getNumbers(metadata, "tokenizer.ggml.token_type") ?? []);
  scores.set(getNumbers(metadata, "tokenizer.ggml.scores") ?? []);
  for (let id = tokens.length; id < vocabSize; id++) tokens.push(`[PAD${id}]`);
  const notes = metadata.get("tokenizer.ggml.add_space_prefix") === true ? [FIRST_NOTE] : [];
  const keys: [string, MetadataValue][] = [
    ["tokenizer.ggml.pre", "default"],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.token_type", types],
    ["tokenizer.ggml.scores", scores],
  ];
  return { metadata: new Map([...keys, ...templateKeys(chatTemplates)]), notes };
}

/** Chat templates under llama.cpp's keys: the default one, and others by name. */
function templateKeys(templates: ReadonlyMap<string, string>): [key: string, value: MetadataValue][] {
  const named = [...templates].filter(([name]) => name !== "default");
  const keys = named.map(([name, source]): [string, MetadataValue] => [`tokenizer.chat_template.${name}`, source]);
  if (named.length > 0) keys.push(["tokenizer.chat_templates", named.map(([name]) => name)]);
  const own = templates.get("default");
  return own === undefined ? keys : [...keys, ["tokenizer.chat_template", own]];
}
