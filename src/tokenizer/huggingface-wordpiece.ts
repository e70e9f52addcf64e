/**
 * BERT's tokenizer.json: BertNormalizer, BertPreTokenizer and WordPiece.
 * @module
 */
import type { JsonObject } from "../base/json.ts";
import { StringTable } from "../formats/string-table.ts";
import { getBoolean, getNumber, getString } from "../formats/typed-values.ts";
import { aroundOf } from "./around.ts";
import { type BertNormalizer, bertNormalize, bertStage } from "./bert.ts";
import { addedTokens } from "./huggingface-added.ts";
import { bad, components, objectAt } from "./huggingface-json.ts";
import { tokensById } from "./huggingface-tokens.ts";
import type { TokenizerParts } from "./tokenizer.ts";
import { Vocabulary } from "./vocabulary.ts";
import { ggufSpelling, WordPieceEncoder, wordPiece } from "./wordpiece.ts";

const MAX_CHARACTERS = 10_000;

/**
 * The token in front of a text (`[CLS]`) is the tokenizer's BOS, and the one behind it (`[SEP]`) its EOS.
 * @throws NibbleError `bad_tokenizer` and the codes of src/formats/typed-values.ts
 */
export function readWordPiece(tokenizer: JsonObject, config: JsonObject | undefined): TokenizerParts {
  const model = objectAt(tokenizer, "model");
  const prefix = getString(model, "continuing_subword_prefix", { default: "##" });
  const vocab = objectAt(model, "vocab");
  const added = addedTokens(tokenizer, config, vocab);
  const special = new Set(added.map(({ id }) => id));
  const tokens = tokensById(vocab, added);
  const spelled = tokens.map((token, id) => (token && !special.has(id) ? ggufSpelling(token, prefix) : token));
  const vocabulary = new Vocabulary(StringTable.of(spelled), wordPiece);
  const idOf = (content: unknown): number | undefined => {
    const id = tokens.indexOf(typeof content === "string" ? content : undefined);
    return id >= 0 && typeof content === "string" ? id : undefined;
  };
  const unknown = model.get("unk_token") ?? "[UNK]";
  const unknownId = idOf(unknown);
  if (unknownId === undefined) throw bad("model.unk_token", "a token of the vocabulary", unknown);
  const around = aroundOf(tokenizer, idOf);
  if (around.before.length > 1) throw bad("post_processor", "one token in front of a text", around.before.length);
  const name = (key: string): number | undefined => idOf(config?.get(key));
  const maxCharacters = getNumber(model, "max_input_chars_per_word", {
    default: 100,
    integer: true,
    min: 1,
    max: MAX_CHARACTERS,
  });
  return {
    ...bertParts(normalizerOf(tokenizer)),
    vocabulary,
    encoder: new WordPieceEncoder(vocabulary, { unknownId, maxCharacters }),
    stages: stagesOf(tokenizer),
    added,
    bosId: around.before[0] ?? name("cls_token"),
    eosId: around.after[0] ?? name("sep_token"),
    endIds: [],
    addBos: around.before.length > 0,
    around,
  };
}

/** The parts of a tokenizer that every BERT has. */
export function bertParts(normalizer: BertNormalizer): Pick<TokenizerParts, "normalize" | "decoding"> {
  return { normalize: (text) => bertNormalize(text, normalizer), decoding: { strip: "space" } };
}

function normalizerOf(tokenizer: JsonObject): BertNormalizer {
  const parts = components(tokenizer.get("normalizer") ?? null, "normalizers");
  const [part] = parts;
  if (parts.length !== 1 || part?.get("type") !== "BertNormalizer")
    throw bad("normalizer", "one BertNormalizer", part?.get("type") ?? null);
  const flag = (key: string, missing: boolean): boolean => getBoolean(part, key, { default: missing });
  const lowercase = flag("lowercase", true);
  return {
    cleanText: flag("clean_text", true),
    spaceIdeographs: flag("handle_chinese_chars", true),
    stripAccents: part.get("strip_accents") === null ? lowercase : flag("strip_accents", lowercase),
    lowercase,
  };
}

function stagesOf(tokenizer: JsonObject): TokenizerParts["stages"] {
  const parts = components(tokenizer.get("pre_tokenizer") ?? null, "pretokenizers");
  const type = parts[0]?.get("type") ?? null;
  if (parts.length !== 1 || type !== "BertPreTokenizer") throw bad("pre_tokenizer", "one BertPreTokenizer", type);
  return [bertStage];
}
