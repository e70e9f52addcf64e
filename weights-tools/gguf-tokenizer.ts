/**
 * A Hugging Face byte-level BPE tokenizer as GGUF's `tokenizer.*` keys, as llama.cpp's converter writes them
 * (gguf-py/gguf/vocab.py, conversion/base.py). Vocabularies of other kinds are refused.
 * @module
 */
import { NibbleError } from "../src/errors.ts";
import type { HuggingFaceFiles, Json, JsonObject, MetadataValue } from "../src/formats/types.ts";

/** The keys to write, and what GGUF cannot say about this tokenizer. */
export interface GgufTokenizer {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly notes: readonly string[];
}

/** llama.cpp's token types (llama.h, LLAMA_TOKEN_TYPE_*). */
const tokenType = { normal: 1, control: 3, userDefined: 4, unused: 5 } as const;

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
  const pre = preTokenizerName(tokenizer);
  const { tokens, types } = tokenLists(object(model.get("vocab"), "model.vocab"), added, vocabSize);
  const metadata = new Map<string, MetadataValue>([
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.pre", pre],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.token_type", types],
    ["tokenizer.ggml.merges", merges(model)],
    ...specialIds(files, added, vocabSize),
  ]);
  const adds = addsTokens(tokenizer, tokenizerConfig);
  // The converter's rule for SmolLM2 (vocabulary of 49,152): its tokenizer_config.json must not add a BOS.
  metadata.set("tokenizer.ggml.add_bos_token", adds.bos === true && vocabSize !== 49152);
  if (adds.eos !== undefined) metadata.set("tokenizer.ggml.add_eos_token", adds.eos);
  if (files.chatTemplate !== undefined) metadata.set("tokenizer.chat_template", files.chatTemplate);
  if (normalizer(tokenizer) !== impliedNormalizer(pre))
    metadata.set("nibble.tokenizer.nfc", normalizer(tokenizer) === "NFC");
  return { metadata, notes: unsaidNotes(tokenizer, pre) };
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
    (text.startsWith("<|") && text.endsWith("|>")) ||
    (text.startsWith("<｜") && text.endsWith("｜>"))
  );
}

/** Merges as "a b", whichever of the two spellings the file has. */
function merges(model: JsonObject): string[] {
  return list(model.get("merges")).map((merge) => {
    if (typeof merge === "string") return merge;
    const [left, right] = list(merge);
    if (typeof left !== "string" || typeof right !== "string") throw bad("a merge is neither a string nor a pair");
    return `${left.replaceAll(" ", "Ġ")} ${right.replaceAll(" ", "Ġ")}`;
  });
}

const words = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`;
const rest = String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
/** `Split` patterns of the families, and the name that GGUF has for them. */
const splitPatterns: ReadonlyMap<string, string> = new Map([
  [String.raw`${contractions}|${words}|\p{N}{1,3}|${rest}`, "llama-bpe"],
  [String.raw`${contractions}|${words}|\p{N}|${rest}`, "qwen2"],
]);

/** `tokenizer.ggml.pre`: how text is cut before the merges. */
function preTokenizerName(tokenizer: JsonObject): string {
  const root = tokenizer.get("pre_tokenizer");
  const stages = field(root, "type") === "Sequence" ? list(field(root, "pretokenizers")) : [root ?? null];
  const described = stages.map(describeStage).join(", ");
  const name = stageNames.get(described) ?? splitPatterns.get(described.replace(/, ByteLevel$/, ""));
  if (name === undefined) throw bad(`GGUF has no name that we know for the pre-tokenizer: ${described}`);
  // OLMo 2's name: the same pattern, but merges are always followed.
  return name === "llama-bpe" && !ignoresMerges(tokenizer) ? "dbrx" : name;
}

/** Whether a piece that is a token as it stands is that token, whatever the merges say. */
const ignoresMerges = (tokenizer: JsonObject): boolean => field(tokenizer.get("model"), "ignore_merges") === true;

const stageNames: ReadonlyMap<string, string> = new Map([
  ["ByteLevel with its own pattern", "gpt-2"],
  ["single digits, ByteLevel with its own pattern", "smollm"],
]);

function describeStage(stage: Json): string {
  const type = field(stage, "type");
  if (type === "ByteLevel") return field(stage, "use_regex") === false ? "ByteLevel" : "ByteLevel with its own pattern";
  if (type === "Digits" && field(stage, "individual_digits") === true) return "single digits";
  const pattern = field(field(stage, "pattern"), "Regex");
  if (type === "Split" && typeof pattern === "string" && field(stage, "behavior") === "Isolated") return pattern;
  return `${type ?? "none"}`;
}

/** `tokenizer.ggml.*_token_id`: tokenizer_config.json names tokens by their text, config.json by id. */
function specialIds(files: HuggingFaceFiles, added: AddedToken[], vocabSize: number): [string, number][] {
  const byContent = new Map(added.map(({ content, id }) => [content as Json, id]));
  const ids: [string, number][] = [];
  for (const [kind, key] of specialKinds) {
    const entry = files.tokenizerConfig?.get(`${kind}_token`);
    const id = byContent.get(field(entry, "content") ?? entry ?? null) ?? firstId(files.config.get(`${kind}_token_id`));
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

const normalizer = (tokenizer: JsonObject): Json => field(tokenizer.get("normalizer"), "type") ?? "none";

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
