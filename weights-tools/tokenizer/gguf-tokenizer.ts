/**
 * A Hugging Face BPE tokenizer, byte-level or SentencePiece's, as GGUF's `tokenizer.*` keys, as llama.cpp's converter
 * writes them (gguf-py/gguf/vocab.py, conversion/base.py). Vocabularies of other kinds are refused.
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { HuggingFaceFiles, MetadataValue } from "../../src/formats/checkpoint.ts";
import { NAMED_PRETOKENIZERS } from "../../src/tokenizer/named-pretokenizers.ts";
import { scoresOfMerges, tokenType } from "./scores.ts";

/** The keys to write, and what GGUF cannot say about this tokenizer. */
export interface GgufTokenizer {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly notes: readonly string[];
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

/**
 * @param vocabSize rows of the embedding; ids that the tokenizer does not use become `[PADn]`
 * @throws NibbleError `bad_tokenizer`
 */
export function ggufTokenizer(files: HuggingFaceFiles, vocabSize: number): GgufTokenizer {
  const { tokenizer, tokenizerConfig } = files;
  const model = object(tokenizer.get("model"), "model");
  const kind = model.get("type") ?? "BPE";
  if (kind !== "BPE") throw bad(`expected a BPE model, found ${kind}`);
  const added = addedTokens(tokenizer);
  const { tokens, types } = tokenLists(object(model.get("vocab"), "model.vocab"), added, vocabSize);
  const kindKeys = model.get("byte_fallback") === true ? pieceKeys(tokenizer, tokens, types) : byteLevelKeys(tokenizer);
  const metadata = new Map<string, MetadataValue>([
    ...kindKeys.metadata,
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.token_type", types],
    ...specialIds(files, added, vocabSize),
  ]);
  const adds = addsTokens(tokenizer, tokenizerConfig);
  // The converter's rule for SmolLM2 (vocabulary of 49,152): its tokenizer_config.json must not add a BOS.
  metadata.set("tokenizer.ggml.add_bos_token", adds.bos === true && vocabSize !== 49152);
  if (adds.eos !== undefined) metadata.set("tokenizer.ggml.add_eos_token", adds.eos);
  if (files.chatTemplate !== undefined) metadata.set("tokenizer.chat_template", files.chatTemplate);
  return { metadata, notes: kindKeys.notes };
}

interface KindKeys {
  readonly metadata: readonly (readonly [string, MetadataValue])[];
  readonly notes: readonly string[];
}

function byteLevelKeys(tokenizer: JsonObject): KindKeys {
  const pre = preTokenizerName(tokenizer);
  const nfc = normalizer(tokenizer) === "NFC";
  return {
    metadata: [
      ["tokenizer.ggml.model", "gpt2"],
      ["tokenizer.ggml.pre", pre],
      [
        "tokenizer.ggml.merges",
        mergePairs(tokenizer).map((pair) => pair.map((part) => part.replaceAll(" ", "Ġ")).join(" ")),
      ],
      ...(normalizer(tokenizer) === impliedNormalizer(pre) ? [] : [["nibble.tokenizer.nfc", nfc] as const]),
    ],
    notes: unsaidNotes(tokenizer, pre),
  };
}

/** SentencePiece's: `tokens` and `types` become what the converter makes of byte tokens and of runs of `▁`. */
function pieceKeys(tokenizer: JsonObject, tokens: string[], types: Int32Array): KindKeys {
  for (const [id, token] of tokens.entries()) {
    if (/^<0x[0-9A-F]{2}>$/.test(token)) types[id] = tokenType.byte;
  }
  const { scores, notes } = scoresOfMerges(tokens, types, mergePairs(tokenizer));
  for (const [id, token] of tokens.entries()) {
    if (types[id] === tokenType.userDefined) tokens[id] = token.replaceAll("▁", " ");
  }
  const prefix = spacePrefix(tokenizer);
  if (prefix === "first")
    notes.push("GGUF puts a space in front of every part of a text, this tokenizer only of the first");
  return {
    metadata: [
      ["tokenizer.ggml.model", "llama"],
      ["tokenizer.ggml.pre", "default"],
      ["tokenizer.ggml.scores", scores],
      ["tokenizer.ggml.add_space_prefix", prefix !== "never"],
    ],
    notes,
  };
}

/** What a SentencePiece tokenizer puts spaces in front of. Its parts are those that src/tokenizer knows. */
function spacePrefix(tokenizer: JsonObject): "always" | "first" | "never" {
  const normalizers = field(tokenizer.get("normalizer"), "normalizers");
  for (const part of [tokenizer.get("normalizer"), ...list(normalizers)]) {
    const type = field(part, "type") ?? "Sequence";
    if (type === "Prepend") return "always";
    if (type !== "Replace" && type !== "Sequence") throw bad(`GGUF has no key for the normalizer ${type}`);
  }
  const stage = tokenizer.get("pre_tokenizer");
  if (field(stage, "type") !== "Metaspace") return "never";
  const legacy = field(stage, "add_prefix_space") === false ? "never" : "always";
  const scheme = field(stage, "prepend_scheme") ?? legacy;
  if (scheme === "always" || scheme === "first" || scheme === "never") return scheme;
  throw bad(`Metaspace has the prepend_scheme ${scheme}`);
}

const bad = (what: string): NibbleError => new NibbleError("bad_tokenizer", `tokenizer.json: ${what}`);

function object(value: Json | undefined, name: string): JsonObject {
  if (value instanceof Map) return value;
  throw bad(`${name} is not an object`);
}

/** A field of a JSON value that may be no object at all. */
const field = (value: Json | undefined, name: string): Json | undefined =>
  value instanceof Map ? (value as JsonObject).get(name) : undefined;

const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

function addedTokens(tokenizer: JsonObject): AddedToken[] {
  return list(tokenizer.get("added_tokens")).map((entry) => {
    const id = field(entry, "id");
    const content = field(entry, "content");
    if (typeof id !== "number" || typeof content !== "string") throw bad("an added token needs id and content");
    return { id, content, special: field(entry, "special") === true };
  });
}

/** Texts and types by id. An added token wins over the vocabulary's entry. */
function tokenLists(vocab: JsonObject, added: AddedToken[], size: number): { tokens: string[]; types: Int32Array } {
  const tokens: (string | undefined)[] = new Array(size).fill(undefined);
  const types = new Int32Array(size).fill(tokenType.normal);
  const checked = (id: Json, text: string): number => {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= size) {
      throw bad(`token ${JSON.stringify(text)} has id ${id}, but the model has ${size} rows`);
    }
    return id;
  };
  for (const [text, id] of vocab) tokens[checked(id, text)] = text;
  for (const { id, content, special } of added) {
    tokens[checked(id, content)] = content;
    types[id] = special || looksSpecial(content) ? tokenType.control : tokenType.userDefined;
  }
  for (let id = 0; id < size; id++) {
    if (tokens[id] !== undefined) continue;
    tokens[id] = `[PAD${id}]`;
    types[id] = tokenType.unused;
  }
  return { tokens: tokens as string[], types };
}

/** Some tokenizers do not mark their control tokens; the converter goes by the spelling. */
function looksSpecial(text: string): boolean {
  return (
    text === "<pad>" ||
    text === "<mask>" ||
    /^<unused\d+>$/.test(text) ||
    (text.startsWith("<|") && text.endsWith("|>")) ||
    (text.startsWith("<｜") && text.endsWith("｜>"))
  );
}

/** Merges in order of rank, whichever of the two spellings the file has. */
function mergePairs(tokenizer: JsonObject): [left: string, right: string][] {
  return list(field(tokenizer.get("model"), "merges")).map((merge) => {
    const space = typeof merge === "string" ? merge.indexOf(" ", 1) : -1;
    const [left, right] = typeof merge === "string" ? [merge.slice(0, space), merge.slice(space + 1)] : list(merge);
    if (typeof left === "string" && typeof right === "string" && (space > 0 || typeof merge !== "string"))
      return [left, right];
    throw bad("a merge is neither two tokens in a string nor a pair");
  });
}

/** `tokenizer.ggml.pre`: how text is cut before the merges. */
function preTokenizerName(tokenizer: JsonObject): string {
  const root = tokenizer.get("pre_tokenizer");
  const stages = field(root, "type") === "Sequence" ? list(field(root, "pretokenizers")) : [root ?? null];
  const described = stages.map(describeStage).join(", ");
  const name = stageNames.get(described.replace(/, ByteLevel$/, ""));
  if (name === undefined) throw bad(`GGUF has no name that we know for the pre-tokenizer: ${described}`);
  // OLMo 2's name: the same pattern, but merges are always followed.
  return name === "llama-bpe" && !ignoresMerges(tokenizer) ? "dbrx" : name;
}

/** Whether a piece that is a token as it stands is that token, whatever the merges say. */
const ignoresMerges = (tokenizer: JsonObject): boolean => field(tokenizer.get("model"), "ignore_merges") === true;

const patternsOf = (name: string): readonly string[] => NAMED_PRETOKENIZERS.get(name)?.patterns ?? [];
const stageNames: ReadonlyMap<string, string> = new Map([
  ["ByteLevel with its own pattern", "gpt-2"],
  ["single digits, ByteLevel with its own pattern", "smollm"],
  ...["llama-bpe", "qwen2", "deepseek-v3"].map((name) => [patternsOf(name).join(", "), name] as const),
  // Where llama.cpp has a pattern for digits, these two files have `Digits`.
  ...["deepseek-llm", "deepseek-coder"].map(
    (name) => [[...patternsOf(name).slice(0, -1), "single digits"].join(", "), name] as const,
  ),
]);

function describeStage(stage: Json): string {
  const type = field(stage, "type");
  if (type === "ByteLevel") return field(stage, "use_regex") === false ? "ByteLevel" : "ByteLevel with its own pattern";
  if (type === "Digits" && field(stage, "individual_digits") === true) return "single digits";
  const pattern = field(field(stage, "pattern"), "Regex");
  if (type === "Split" && typeof pattern === "string" && field(stage, "behavior") === "Isolated") {
    return pattern.replaceAll("\r", "\\r").replaceAll("\n", "\\n"); // some files spell line ends as escapes
  }
  return `${type ?? "none"}`;
}

/** `tokenizer.ggml.*_token_id`: tokenizer_config.json names tokens by their text, config.json by id. */
function specialIds(files: HuggingFaceFiles, added: AddedToken[], vocabSize: number): [string, number][] {
  const byContent = new Map(added.map(({ content, id }) => [content as Json, id]));
  const ids: [string, number][] = [];
  for (const [kind, key] of specialKinds) {
    const entry = files.tokenizerConfig?.get(`${kind}_token`);
    const named =
      field(entry, "content") ?? entry ?? (kind === "unk" ? field(files.tokenizer.get("model"), "unk_token") : null);
    const id = byContent.get(named ?? null) ?? firstId(files.config.get(`${kind}_token_id`));
    if (id !== undefined) ids.push([key, id]);
  }
  // Ends of a turn and of a message have no setting: llama.cpp knows them by these texts.
  for (const [key, content] of [
    ["eot", "<|eot_id|>"],
    ["eom", "<|eom_id|>"],
  ] as const) {
    const id = byContent.get(content);
    if (id !== undefined) ids.push([key, id]);
  }
  for (const [key, id] of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize) throw bad(`${key} token ${id} is not in the vocabulary`);
  }
  return ids.map(([key, id]) => [`tokenizer.ggml.${key}_token_id`, id]);
}

/** config.json has a number, or a list of which the first one counts. */
function firstId(ids: Json | undefined): number | undefined {
  const id = Array.isArray(ids) ? ids[0] : ids;
  return typeof id === "number" && id !== -1 ? id : undefined;
}

/** Hugging Face's names, and GGUF's (the misspelt one is the standard). */
const specialKinds: readonly (readonly [string, string])[] = [
  ["bos", "bos"],
  ["eos", "eos"],
  ["unk", "unknown"],
  ["sep", "seperator"],
  ["pad", "padding"],
  ["mask", "mask"],
];

/** Whether raw text gets BOS and EOS: an explicit setting, else what the post-processor's template does. */
function addsTokens(tokenizer: JsonObject, config: JsonObject | undefined): { bos?: boolean; eos?: boolean } {
  const adds: { bos?: boolean; eos?: boolean } = {};
  const root = tokenizer.get("post_processor");
  const processors = field(root, "processors");
  for (const processor of processors === undefined ? [root ?? null] : list(processors)) {
    if (field(processor, "type") !== "TemplateProcessing") continue;
    const single = list(field(processor, "single"));
    if (single.length < 2) continue;
    if (field(single[0], "SpecialToken") !== undefined) adds.bos = true;
    if (field(single.at(-1), "SpecialToken") !== undefined) adds.eos = true;
  }
  for (const kind of ["bos", "eos"] as const) {
    const setting = config?.get(`add_${kind}_token`);
    if (typeof setting === "boolean") adds[kind] = setting;
  }
  return adds;
}

/** The type of a byte-level tokenizer's normaliser; a sequence of one is that one, of none is none. */
function normalizer(tokenizer: JsonObject): Json {
  const root = tokenizer.get("normalizer");
  const parts = field(root, "type") === "Sequence" ? list(field(root, "normalizers")) : [root ?? null];
  return parts.length > 1 ? "Sequence" : (field(parts[0], "type") ?? "none");
}

/** GGUF has no key for it: ours take Qwen's NFC from the pre-tokenizer's name, llama.cpp normalises nothing. */
const impliedNormalizer = (pre: string): string => (pre === "qwen2" ? "NFC" : "none");

function unsaidNotes(tokenizer: JsonObject, pre: string): string[] {
  const notes: string[] = [];
  if (!["none", "NFC"].includes(String(normalizer(tokenizer)))) {
    notes.push(`the tokenizer's normaliser is ${normalizer(tokenizer)}, which GGUF has no key for`);
  }
  if (ignoresMerges(tokenizer) && pre !== "llama-bpe") {
    notes.push(`the tokenizer ignores merges for whole tokens, but a reader of "${pre}" does not`);
  }
  return notes;
}
