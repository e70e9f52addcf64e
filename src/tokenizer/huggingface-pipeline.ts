/**
 * The pipeline around the model of a tokenizer.json: normalizer, pre_tokenizer, post_processor and decoder. Two kinds are
 * supported: byte-level (`ByteLevel`), and SentencePiece's (`▁` for spaces, `ByteFallback`).
 * @module
 */
import type { Json, JsonObject } from "../base/json.ts";
import { getBoolean, getString } from "../formats/typed-values.ts";
import { bad, components, objectAt } from "./huggingface-json.ts";
import { nfc } from "./nfc.ts";
import { byteLevelStage, digitsStage, matchesEverything, patternStage } from "./patterns.ts";
import { MAX_STAGES, type Stage } from "./pretokenizer.ts";
import { metaspaceStage, SPACE_MARK, withSpaces } from "./sentencepiece.ts";
import type { Decoding } from "./tokenizer.ts";

/** The id of a token by its text. */
export type IdOf = (content: Json | undefined) => number | undefined;

type Normalize = (text: string) => string;

/** The normalizer of a byte-level tokenizer, if it has one. @throws NibbleError `bad_tokenizer` for another than NFC */
export function byteLevelNormalizer(tokenizer: JsonObject): Normalize | undefined {
  const types = components(tokenizer.get("normalizer") ?? null, "normalizers").map((part) => part.get("type") ?? null);
  for (const type of types) if (type !== "NFC") throw bad("normalizer", "NFC or none", type);
  return types.length > 0 ? nfc : undefined;
}

/** The stages of a byte-level pre_tokenizer. @throws NibbleError `bad_tokenizer` for one that is not supported */
export function byteLevelStages(tokenizer: JsonObject): Stage[] {
  const parts = components(tokenizer.get("pre_tokenizer") ?? null, "pretokenizers");
  const last = parts.at(-1)?.get("type") ?? null;
  if (last !== "ByteLevel") throw bad("pre_tokenizer", "ByteLevel at the end", last);
  if (parts.length > MAX_STAGES) throw bad("pre_tokenizer", `at most ${MAX_STAGES} stages`, parts.length);
  return parts.map((part, i) => {
    const type = part.get("type") ?? null;
    if (type === "Split") return splitStage(part);
    if (type === "Digits") return digitsStage(getBoolean(part, "individual_digits", { default: false }));
    if (type !== "ByteLevel" || i < parts.length - 1) throw bad("pre_tokenizer", "Split, Digits, then ByteLevel", type);
    return byteLevelStage({
      useRegex: getBoolean(part, "use_regex", { default: true }),
      prefixSpace: getBoolean(part, "add_prefix_space", { default: true }),
    });
  });
}

function splitStage(part: JsonObject): Stage {
  const behavior = getString(part, "behavior");
  const invert = getBoolean(part, "invert", { default: false });
  const pattern = getString(objectAt(part, "pattern"), "Regex");
  // "Removed" with `invert` drops the text that the pattern does not match. If it matches everything, that is "Isolated".
  if (behavior !== "Isolated" && !(behavior === "Removed" && invert && matchesEverything(pattern))) {
    throw bad("pre_tokenizer Split behavior", '"Isolated"', behavior);
  }
  return patternStage(pattern);
}

/** @throws NibbleError `bad_tokenizer` for a decoder without `ByteLevel` */
export function expectByteLevelDecoder(tokenizer: JsonObject): void {
  const json = tokenizer.get("decoder") ?? null;
  for (const part of components(json, "decoders")) if (part.get("type") === "ByteLevel") return;
  throw bad("decoder", "ByteLevel", json);
}

/**
 * SentencePiece's normalizer: `Replace` of spaces by `▁`, `Prepend` of one `▁`, and `NFC`. Its result has plain spaces, as
 * sentencepiece.ts explains.
 */
export function pieceNormalizer(tokenizer: JsonObject): Normalize {
  const steps = components(tokenizer.get("normalizer") ?? null, "normalizers").map((part): Normalize => {
    const type = part.get("type") ?? null;
    if (type === "NFC") return nfc;
    if (type === "Prepend") {
      const prefix = getString(part, "prepend");
      if (withSpaces(prefix) === " ") return (text) => ` ${text}`;
      throw bad("normalizer Prepend", `"${SPACE_MARK}"`, prefix);
    }
    if (type !== "Replace") throw bad("normalizer", "Replace, Prepend or NFC", type);
    expectReplace(part, " ", SPACE_MARK, "normalizer");
    return withSpaces;
  });
  if (steps.length > MAX_STAGES) throw bad("normalizer", `at most ${MAX_STAGES} steps`, steps.length);
  return (text) => steps.reduce((normalized, step) => step(normalized), withSpaces(text));
}

/** Whether the normalizer turns spaces into `▁`. */
export function marksSpaces(tokenizer: JsonObject): boolean {
  const normalizers = components(tokenizer.get("normalizer") ?? null, "normalizers");
  return normalizers.some((part) => part.get("type") === "Replace");
}

/**
 * The stages of SentencePiece's pre_tokenizer, which is none, `Metaspace`, or Gemma's `Split` at spaces. That one never
 * finds a space, because its normalizer has replaced them all.
 */
export function pieceStages(tokenizer: JsonObject): Stage[] {
  let marked = marksSpaces(tokenizer);
  const stages: Stage[] = [];
  for (const part of components(tokenizer.get("pre_tokenizer") ?? null, "pretokenizers")) {
    const type = part.get("type") ?? null;
    if (type === "Metaspace" && stages.length === 0) {
      stages.push(metaspaceStage(getBoolean(part, "split", { default: true }), metaspacePrefix(part)));
      marked = true;
    } else if (type !== "Split" || !marked || objectAt(part, "pattern").get("String") !== " ") {
      throw bad("pre_tokenizer", 'one Metaspace, or Split at " " behind Replace', type);
    }
  }
  if (!marked) throw bad("normalizer", `Replace of " " by "${SPACE_MARK}", or Metaspace`, null);
  return stages;
}

function metaspacePrefix(part: JsonObject): Stage["prefixSpace"] {
  const mark = getString(part, "replacement", { default: SPACE_MARK });
  if (mark !== SPACE_MARK) throw bad("Metaspace replacement", `"${SPACE_MARK}"`, mark);
  const legacy = getBoolean(part, "add_prefix_space", { default: true }) ? "always" : "never";
  const scheme = getString(part, "prepend_scheme", { default: legacy });
  if (scheme === "always" || scheme === "first") return scheme;
  if (scheme === "never") return undefined;
  throw bad("Metaspace prepend_scheme", '"always", "first" or "never"', scheme);
}

/** SentencePiece's decoder: `Replace` or `Metaspace`, `ByteFallback`, `Fuse`, and after that a `Strip` of one space. */
export function pieceDecoding(tokenizer: JsonObject): Decoding {
  const parts = components(tokenizer.get("decoder") ?? null, "decoders");
  let spaces = false;
  let fallback = false;
  let fused = false;
  let strip: Decoding["strip"];
  for (const part of parts) {
    const type = part.get("type") ?? null;
    if (type === "Metaspace") {
      if (metaspacePrefix(part) !== undefined) strip = "spaces";
      spaces = true;
    } else if (type === "Replace") {
      expectReplace(part, SPACE_MARK, " ", "decoder");
      spaces = true;
    } else if (type === "ByteFallback") fallback = true;
    else if (type === "Fuse") fused = true;
    else if (type === "Strip" && fused) {
      const [start, stop] = [part.get("start"), part.get("stop")];
      if (part.get("content") !== " " || start !== 1 || stop !== 0) {
        throw bad("decoder Strip", 'one " " at the start', part);
      }
      strip = "space";
    } else throw bad("decoder", "Replace or Metaspace, ByteFallback, Fuse, Strip", type);
  }
  if (!spaces || !fallback) throw bad("decoder", "Replace or Metaspace, and ByteFallback", null);
  return { eachByte: true, ...(strip === undefined ? {} : { strip }) };
}

function expectReplace(part: JsonObject, from: string, to: string, where: string): void {
  const pattern = objectAt(part, "pattern").get("String") ?? null;
  const content = getString(part, "content");
  if (pattern !== from) throw bad(`${where} Replace`, JSON.stringify(from), pattern);
  if (content !== to) throw bad(`${where} Replace content`, JSON.stringify(to), content);
}
