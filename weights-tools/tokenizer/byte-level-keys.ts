/**
 * Keys of a byte-level BPE tokenizer.
 * @module
 */
import type { Json, JsonObject } from "../../src/base/json.ts";
import { NAMED_PRETOKENIZERS, type NamedPretokenizer } from "../../src/tokenizer/named-pretokenizers.ts";
import { GPT2 } from "../../src/tokenizer/patterns.ts";
import { field, list } from "./json-fields.ts";
import type { KindKeys } from "./kind-keys.ts";
import { mergeTexts } from "./token-lists.ts";

/** The keys of the kind. */
export function byteLevelKeys(tokenizer: JsonObject): KindKeys {
  const { name, described } = preTokenizer(tokenizer);
  // The pattern of most tokenizers is closest to GPT-2's.
  const pre = name ?? "gpt-2";
  const nfc = normalizer(tokenizer) === "NFC";
  return {
    metadata: [
      ["tokenizer.ggml.model", "gpt2"],
      ["tokenizer.ggml.pre", pre],
      ["tokenizer.ggml.merges", mergeTexts(tokenizer)],
      ...(nfc === (named(pre).nfc === true) ? [] : [["nibble.tokenizer.nfc", nfc] as const]),
    ],
    isUnnamed: name === undefined,
    notes: [
      ...(name === undefined ? [`no GGUF name is known for the pre-tokenizer ${described}`] : []),
      ...unsaidNotes(tokenizer, pre),
    ],
  };
}

const named = (pre: string): NamedPretokenizer => NAMED_PRETOKENIZERS.get(pre)!;

/** The value of `tokenizer.ggml.pre`, which names how text is cut before the merges; undefined if there is none. */
function preTokenizer(tokenizer: JsonObject): { name: string | undefined; described: string } {
  const root = tokenizer.get("pre_tokenizer");
  const stages = field(root, "type") === "Sequence" ? list(field(root, "pretokenizers")) : [root ?? null];
  const described = stages.map(describeStage).join(", ");
  const fitting = stageNames.get(described.replace(/, ByteLevel$/, "")) ?? [];
  // Of the names for one pattern, some say that merges are ignored for whole tokens.
  const ignores = ignoresMerges(tokenizer);
  const name = fitting.find((candidate) => (named(candidate).ignoreMerges === true) === ignores) ?? fitting[0];
  return { name, described };
}

/** Whether a piece of text that is a token becomes that token without merges. */
const ignoresMerges = (tokenizer: JsonObject): boolean => field(tokenizer.get("model"), "ignore_merges") === true;

/** Names by the stages that they stand for: the first of each kind in the table, and those that differ in their flags. */
const stageNames: ReadonlyMap<string, readonly string[]> = (() => {
  const names = new Map<string, string[]>();
  const kinds = new Set<NamedPretokenizer>();
  const add = (described: string, name: string): void =>
    void names.set(described, [...(names.get(described) ?? []), name]);
  for (const [name, pre] of NAMED_PRETOKENIZERS) {
    if (kinds.has(pre) || name === "default") continue;
    kinds.add(pre);
    const { patterns } = pre;
    // In place of llama.cpp's pattern for digits, these two tokenizers have `Digits`.
    const isDeepSeek = name === "deepseek-llm" || name === "deepseek-coder";
    const stages = isDeepSeek ? [...patterns.slice(0, -1), "single digits"] : [...patterns];
    add(stages.join(", "), name);
    if (patterns.at(-1) !== GPT2) continue;
    const digits = patterns[0] === "\\p{N}" ? ["single digits"] : patterns.slice(0, -1);
    add([...digits, "ByteLevel with its own pattern"].join(", "), name);
  }
  return names;
})();

function describeStage(stage: Json): string {
  const type = field(stage, "type");
  if (type === "ByteLevel") {
    const prefix = field(stage, "add_prefix_space") === true ? " with a space in front" : "";
    return (field(stage, "use_regex") === false ? "ByteLevel" : "ByteLevel with its own pattern") + prefix;
  }
  if (type === "Digits" && field(stage, "individual_digits") === true) return "single digits";
  const pattern = field(field(stage, "pattern"), "Regex");
  const keeps = field(stage, "behavior") === "Isolated" || field(stage, "invert") === true;
  if (type === "Split" && typeof pattern === "string" && keeps) {
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

function unsaidNotes(tokenizer: JsonObject, pre: string): string[] {
  const notes: string[] = [];
  if (!["none", "NFC"].includes(String(normalizer(tokenizer)))) {
    notes.push(`the tokenizer's normaliser is ${normalizer(tokenizer)}, which GGUF has no key for`);
  }
  const ignores = ignoresMerges(tokenizer);
  if (ignores !== (named(pre).ignoreMerges === true))
    notes.push(`the tokenizer ${ignores ? "ignores" : "follows"} merges for whole tokens, which "${pre}" does not say`);
  return notes;
}
