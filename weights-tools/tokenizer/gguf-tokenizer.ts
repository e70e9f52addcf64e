/**
 * A Hugging Face BPE tokenizer as GGUF's `tokenizer.*` keys, as llama.cpp's converter writes them (gguf-py/gguf/vocab.py,
 * conversion/base.py). Byte-level and SentencePiece vocabularies are supported; other kinds are refused.
 * @module
 */
import type { HuggingFaceFiles, MetadataValue } from "../../src/formats/checkpoint.ts";
import { byteLevelKeys } from "./byte-level-keys.ts";
import { bad, object } from "./json-fields.ts";
import { sentencePieceKeys } from "./sentencepiece-keys.ts";
import { addsTokens, specialIds } from "./special-tokens.ts";
import { addedTokens, tokenLists } from "./token-lists.ts";

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
  const model = object(tokenizer.get("model"), "model");
  const kind = model.get("type") ?? "BPE";
  if (kind !== "BPE") throw bad(`model.type ${kind} is not supported; BPE is`);
  const added = addedTokens(tokenizer);
  const { tokens, types } = tokenLists(object(model.get("vocab"), "model.vocab"), added, vocabSize);
  const isSentencePiece = model.get("byte_fallback") === true;
  const kindKeys = isSentencePiece ? sentencePieceKeys(tokenizer, tokens, types) : byteLevelKeys(tokenizer);
  const metadata = new Map<string, MetadataValue>([
    ...kindKeys.metadata,
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.token_type", types],
    ...specialIds(files, added, vocabSize),
  ]);
  const adds = addsTokens(tokenizer, tokenizerConfig);
  // llama.cpp's converter has this rule for SmolLM2, whose vocabulary is the one of 49,152 tokens: no BOS is added.
  metadata.set("tokenizer.ggml.add_bos_token", adds.bos === true && vocabSize !== 49152);
  if (adds.eos !== undefined) metadata.set("tokenizer.ggml.add_eos_token", adds.eos);
  for (const [key, value] of templateKeys(files.chatTemplates)) metadata.set(key, value);
  return { metadata, notes: kindKeys.notes };
}

/** Chat templates under llama.cpp's keys: the default one, and others by name. */
function templateKeys(templates: ReadonlyMap<string, string>): [key: string, value: MetadataValue][] {
  const named = [...templates].filter(([name]) => name !== "default");
  const keys = named.map(([name, source]): [string, MetadataValue] => [`tokenizer.chat_template.${name}`, source]);
  if (named.length > 0) keys.push(["tokenizer.chat_templates", named.map(([name]) => name)]);
  const own = templates.get("default");
  return own === undefined ? keys : [...keys, ["tokenizer.chat_template", own]];
}
