/**
 * Keys of a byte-level BPE tokenizer.
 * @module
 */
import type { Json, JsonObject } from "../../src/base/json.ts";
import { NAMED_PRETOKENIZERS } from "../../src/tokenizer/named-pretokenizers.ts";
import { bad, field, list } from "./json-fields.ts";
import type { KindKeys } from "./kind-keys.ts";
import { mergePairs } from "./token-lists.ts";

/** @throws NibbleError `bad_tokenizer` for a pre-tokenizer that GGUF has no name for */
export function byteLevelKeys(tokenizer: JsonObject): KindKeys {
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

/** The value of `tokenizer.ggml.pre`, which names how text is cut before the merges. */
function preTokenizerName(tokenizer: JsonObject): string {
  const root = tokenizer.get("pre_tokenizer");
  const stages = field(root, "type") === "Sequence" ? list(field(root, "pretokenizers")) : [root ?? null];
  const described = stages.map(describeStage).join(", ");
  const name = stageNames.get(described.replace(/, ByteLevel$/, ""));
  if (name === undefined) throw bad(`no GGUF name is known for the pre-tokenizer ${described}`);
  // OLMo 2's name for the same pattern where merges are always followed.
  return name === "llama-bpe" && !ignoresMerges(tokenizer) ? "dbrx" : name;
}

/** Whether a piece of text that is a token becomes that token without merges. */
const ignoresMerges = (tokenizer: JsonObject): boolean => field(tokenizer.get("model"), "ignore_merges") === true;

const patternsOf = (name: string): readonly string[] => NAMED_PRETOKENIZERS.get(name)?.patterns ?? [];
const stageNames: ReadonlyMap<string, string> = new Map([
  ["ByteLevel with its own pattern", "gpt-2"],
  ["single digits, ByteLevel with its own pattern", "smollm"],
  ...["llama-bpe", "qwen2", "deepseek-v3"].map((name) => [patternsOf(name).join(", "), name] as const),
  // In place of llama.cpp's pattern for digits, these two tokenizers have `Digits`.
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

/** The type of the normaliser. A sequence of one counts as that one, an empty sequence as none. */
function normalizer(tokenizer: JsonObject): Json {
  const root = tokenizer.get("normalizer");
  const parts = field(root, "type") === "Sequence" ? list(field(root, "normalizers")) : [root ?? null];
  return parts.length > 1 ? "Sequence" : (field(parts[0], "type") ?? "none");
}

/**
 * The normaliser that src/tokenizer takes from the pre-tokenizer's name, as GGUF has no key for it. (llama.cpp does not
 * normalise.)
 */
const impliedNormalizer = (pre: string): string => (pre === "qwen2" ? "NFC" : "none");

function unsaidNotes(tokenizer: JsonObject, pre: string): string[] {
  const notes: string[] = [];
  if (!["none", "NFC"].includes(String(normalizer(tokenizer)))) {
    notes.push(`the tokenizer's normaliser is ${normalizer(tokenizer)}, which GGUF has no key for`);
  }
  if (ignoresMerges(tokenizer) && pre !== "llama-bpe") {
    notes.push(`the tokenizer ignores merges for whole tokens, which "${pre}" does not say`);
  }
  return notes;
}
