/**
 * Tokenizers of GGUF files, from the metadata keys `tokenizer.ggml.*`.
 * @module
 */
import { NibbleError } from "../errors.ts";
import { getBoolean, getNumber, getNumbers, getString, getStrings } from "../formats/metadata.ts";
import type { Metadata } from "../formats/types.ts";
import type { AddedToken } from "./added-tokens.ts";
import { BytePairEncoder } from "./bpe.ts";
import { MergeTable } from "./merges.ts";
import { nfc } from "./nfc.ts";
import { NAMED_PRETOKENIZERS, patternStage } from "./pretokenizer.ts";
import type { TokenizerParts } from "./tokenizer.ts";
import { Vocabulary } from "./vocabulary.ts";

/** Values of `tokenizer.ggml.token_type`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;

/**
 * The parts of a byte-level BPE tokenizer (`tokenizer.ggml.model` = "gpt2").
 * Where llama.cpp and Hugging Face differ this follows Hugging Face: NFC for Qwen, and no token becomes special only
 * because of its spelling. `nibble.tokenizer.nfc` (our converter's) says where a model leaves NFC out.
 * @throws NibbleError `bad_tokenizer` and the codes of src/formats/metadata.ts
 */
export function readGgufTokenizer(metadata: Metadata): TokenizerParts {
  const model = getString(metadata, "tokenizer.ggml.model");
  if (model !== "gpt2") {
    throw new NibbleError(
      "bad_tokenizer",
      `tokenizer.ggml.model: expected "gpt2" (byte-level BPE), got ${JSON.stringify(model)}`,
    );
  }
  const pre = getString(metadata, "tokenizer.ggml.pre", { default: "default" });
  const named = NAMED_PRETOKENIZERS.get(pre);
  if (named === undefined) {
    const known = [...NAMED_PRETOKENIZERS.keys()].join(", ");
    throw new NibbleError("bad_tokenizer", `tokenizer.ggml.pre: expected one of ${known}, got ${JSON.stringify(pre)}`);
  }
  const tokens = requireStrings(metadata, "tokenizer.ggml.tokens");
  const vocabulary = new Vocabulary(tokens);
  const merges = new MergeTable(vocabulary, requireStrings(metadata, "tokenizer.ggml.merges"));
  const id = (name: string): number | undefined => optionalId(metadata, `tokenizer.ggml.${name}_token_id`);
  const endIds = [id("eot"), id("eom"), ...Array.from(getNumbers(metadata, "nibble.end_token_ids") ?? [])];
  return {
    vocabulary,
    encoder: new BytePairEncoder(vocabulary, merges, {
      ignoreMerges: named.ignoreMerges === true,
      unknownId: undefined, // `unknown_token_id` is not used by byte-level BPE: SmolLM2's is 0, and unknown bytes vanish
      fuseUnknown: false,
    }),
    stages: named.patterns.map(patternStage),
    normalize: getBoolean(metadata, "nibble.tokenizer.nfc", { default: named.nfc === true }) ? nfc : undefined,
    added: addedTokens(tokens, getNumbers(metadata, "tokenizer.ggml.token_type")),
    bosId: id("bos"),
    eosId: id("eos"),
    endIds: endIds.filter((end) => end !== undefined),
    addBos: getBoolean(metadata, "tokenizer.ggml.add_bos_token", { default: named.addBos === true }),
  };
}

function addedTokens(tokens: readonly string[], types: ArrayLike<number> | undefined): AddedToken[] {
  if (types === undefined) return [];
  if (types.length !== tokens.length) {
    throw new NibbleError(
      "bad_tokenizer",
      `tokenizer.ggml.token_type: expected ${tokens.length} types, got ${types.length}`,
    );
  }
  const added: AddedToken[] = [];
  for (const [id, content] of tokens.entries()) {
    const type = types[id]!;
    if (!(type >= 1 && type <= 6)) {
      throw new NibbleError("bad_tokenizer", `tokenizer.ggml.token_type: expected 1 to 6, got ${type} for id ${id}`);
    }
    if (type === UNKNOWN || type === CONTROL) added.push({ id, content, special: true });
    else if (type === USER_DEFINED) added.push({ id, content, special: false });
  }
  return added;
}

function requireStrings(metadata: Metadata, key: string): readonly string[] {
  const strings = getStrings(metadata, key);
  if (strings === undefined)
    throw new NibbleError("missing_key", `${key}: expected an array of strings, but the key is missing`);
  return strings;
}

/** A token id under `key`, if there is one. */
export function optionalId(metadata: Metadata, key: string): number | undefined {
  return metadata.has(key) ? getNumber(metadata, key, { integer: true, min: 0 }) : undefined;
}
