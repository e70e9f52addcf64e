/**
 * Keys of a BPE tokenizer that was made from a SentencePiece model, such as Gemma's.
 * @module
 */
import type { Json, JsonObject } from "../../src/base/json.ts";
import { components } from "../../src/tokenizer/huggingface-json.ts";
import { bad, field, list } from "./json-fields.ts";
import type { KindKeys } from "./kind-keys.ts";
import { scoresOfMerges, tokenType } from "./scores.ts";
import { mergePairs } from "./token-lists.ts";

/**
 * The keys of the kind. As llama.cpp's converter does, it changes the types of byte tokens and the spaces of user-defined
 * tokens in `tokens` and `tokenTypes`.
 * @throws NibbleError `bad_tokenizer`
 */
export function sentencePieceKeys(tokenizer: JsonObject, tokens: string[], tokenTypes: Int32Array): KindKeys {
  markBytes(tokens, tokenTypes);
  const { scores, notes } = scoresOfMerges(tokens, tokenTypes, mergePairs(tokenizer));
  for (const [id, token] of tokens.entries()) {
    if (tokenTypes[id] === tokenType.userDefined) tokens[id] = token.replaceAll("▁", " ");
  }
  const prefix = spacePrefix(tokenizer);
  return {
    metadata: [
      ["tokenizer.ggml.model", "llama"],
      ["tokenizer.ggml.pre", "default"],
      ["tokenizer.ggml.scores", scores],
      ["tokenizer.ggml.add_space_prefix", prefix !== "never"],
    ],
    notes: [...notes, ...stepNotes(tokenizer, { tokens, tokenTypes }, prefix)],
  };
}

/** Gives tokens such as `<0x0A>` the type of bytes. */
export function markBytes(tokens: readonly string[], types: Int32Array): void {
  for (const [id, token] of tokens.entries()) if (/^<0x[0-9A-F]{2}>$/.test(token)) types[id] = tokenType.byte;
}

/** The note on a space that comes in front of a whole text alone. */
export const FIRST_PREFIX =
  "GGUF puts a space in front of every part of a text, but this tokenizer only in front of the first";

/** Steps that GGUF has no key for. */
function stepNotes(
  tokenizer: JsonObject,
  { tokens, tokenTypes }: { readonly tokens: readonly string[]; readonly tokenTypes: Int32Array },
  prefix: "always" | "first" | "never",
): string[] {
  const notes: string[] = [];
  if (prefix === "first") notes.push(FIRST_PREFIX);
  if (types(tokenizer.get("normalizer"), "normalizers").includes("NFC")) notes.push("the tokenizer normalises to NFC");
  const stage = tokenizer.get("pre_tokenizer");
  const reaches = (token: string, id: number): boolean => tokenTypes[id] === tokenType.normal && /[^▁]▁/.test(token);
  if (field(stage, "type") === "Metaspace" && field(stage, "split") !== false && tokens.some(reaches))
    notes.push("the tokenizer cuts text into words, and in GGUF tokens can reach across spaces");
  if (field(tokenizer.get("model"), "ignore_merges") === true)
    notes.push("the tokenizer ignores merges for whole tokens");
  const strips = types(tokenizer.get("decoder"), "decoders").some((type) => type === "Strip" || type === "Metaspace");
  if (tokenizer.has("decoder") && strips !== (prefix !== "never"))
    notes.push(
      `the decoder ${strips ? "removes" : "keeps"} a space at the start of a text, which GGUF ties to the space in front of it`,
    );
  return notes;
}

/** The types of a step and of the steps in its sequence. */
const types = (step: Json | undefined, key: string): (Json | undefined)[] =>
  [step, ...list(field(step, key))].map((part) => field(part, "type"));

/** The steps of a normaliser beside `Prepend`. */
const STEPS: ReadonlySet<Json> = new Set(["Precompiled", "Strip", "Replace", "NFC"]);

/** In front of which parts of a text the tokenizer puts a space: the parts between special tokens. */
export function spacePrefix(tokenizer: JsonObject): "always" | "first" | "never" {
  for (const part of components(tokenizer.get("normalizer") ?? null, "normalizers")) {
    const type = part.get("type") ?? null;
    if (type === "Prepend") return "always";
    if (!STEPS.has(type)) throw bad(`normalizer ${type} is not supported`);
  }
  const stages = components(tokenizer.get("pre_tokenizer") ?? null, "pretokenizers");
  const stage = stages.find((part) => part.get("type") === "Metaspace");
  if (stage === undefined) return "never";
  const legacy = field(stage, "add_prefix_space") === false ? "never" : "always";
  const scheme = field(stage, "prepend_scheme") ?? legacy;
  if (scheme === "always" || scheme === "first" || scheme === "never") return scheme;
  throw bad(`Metaspace prepend_scheme: expected always, first or never, got ${scheme}`);
}
