/**
 * The pipeline around the model of a tokenizer.json: normalizer, pre_tokenizer, post_processor and decoder. Two kinds are
 * supported: byte-level (`ByteLevel`), and SentencePiece's (`▁` for spaces, `ByteFallback`).
 * @module
 */
import type { Json, JsonObject } from "../base/json.ts";
import { getBoolean, getString } from "../formats/typed-values.ts";
import { Charsmap } from "./charsmap.ts";
import { bad, components, objectAt } from "./huggingface-json.ts";
import { nfc } from "./nfc.ts";
import { byteLevelStage, digitsStage, matchesEverything, patternStage } from "./patterns.ts";
import { MAX_STAGES, type Stage } from "./pretokenizer.ts";
import { metaspaceStage, SPACE_MARK, withSpaces } from "./sentencepiece.ts";
import type { Decoding } from "./tokenizer.ts";
import { characterClasses } from "./unicode.ts";
import { SPACE } from "./unicode-flags.ts";

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
 * SentencePiece's normalizer: `Precompiled`, `Strip`, `NFC`, `Replace` of spaces by `▁` and of runs of spaces by one, and
 * `Prepend` of one `▁`. Its result has plain spaces, as sentencepiece.ts explains.
 */
export function pieceNormalizer(tokenizer: JsonObject): Normalize {
  const steps = components(tokenizer.get("normalizer") ?? null, "normalizers").map(pieceNormalizerStep);
  if (steps.length > MAX_STAGES) throw bad("normalizer", `at most ${MAX_STAGES} steps`, steps.length);
  return (text) => withSpaces(steps.reduce((normalized, step) => step(normalized), text));
}

function pieceNormalizerStep(part: JsonObject): Normalize {
  const type = part.get("type") ?? null;
  if (type === "NFC") return nfc;
  if (type === "Precompiled") {
    const map = new Charsmap(base64(getString(part, "precompiled_charsmap")));
    return (text) => map.normalize(text);
  }
  if (type === "Strip") {
    const [left, right] = ["strip_left", "strip_right"].map((key) => getBoolean(part, key));
    return (text) => stripped(text, left!, right!);
  }
  if (type === "Prepend") {
    const prefix = getString(part, "prepend");
    if (withSpaces(prefix) === " ") return (text) => ` ${text}`;
    throw bad("normalizer Prepend", `"${SPACE_MARK}"`, prefix);
  }
  if (type !== "Replace") throw bad("normalizer", "Precompiled, Strip, Replace, Prepend or NFC", type);
  if (replacesRuns(part)) {
    const content = getString(part, "content");
    if (withSpaces(content) !== " ") throw bad("normalizer Replace content", '" "', content);
    return (text) => text.replace(/ {2,}/g, content);
  }
  expectReplace(part, " ", SPACE_MARK, "normalizer");
  return withSpaces;
}

/** Whether a `Replace` is that of several spaces by one. */
const replacesRuns = (part: JsonObject): boolean => objectAt(part, "pattern").get("Regex") === " {2,}";

/** `text` without the white space at its start and at its end. */
function stripped(text: string, left: boolean, right: boolean): string {
  const classes = characterClasses();
  const start = left ? classes.skipWhile(text, 0, text.length, SPACE) : 0;
  let end = text.length;
  while (right && end > start && (classes.flags(text.charCodeAt(end - 1)) & SPACE) !== 0) end--;
  return text.slice(start, end);
}

/** The bytes of a character map. @throws NibbleError `bad_tokenizer` */
export function base64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw bad("normalizer precompiled_charsmap", "base64", text.slice(0, 20));
  }
}

/** Whether the normalizer turns spaces into `▁`. */
export function marksSpaces(tokenizer: JsonObject): boolean {
  const normalizers = components(tokenizer.get("normalizer") ?? null, "normalizers");
  const marks = (part: JsonObject): boolean => part.get("type") === "Replace" && !replacesRuns(part);
  return normalizers.some(marks);
}

/** The stage of `WhitespaceSplit`: white space divides pieces, and is left out. */
const whitespaceStage: Stage = {
  skip: (text, start, end) => characterClasses().skipWhile(text, start, end, SPACE),
  scan: (text, start, end) => characterClasses().skipUntil(text, start, end, SPACE),
};

/**
 * The stages of SentencePiece's pre_tokenizer, which is none, `Metaspace`, `WhitespaceSplit` and `Metaspace`, or Gemma's
 * `Split` at spaces. That one never finds a space, because its normalizer has replaced them all.
 */
export function pieceStages(tokenizer: JsonObject): Stage[] {
  let marked = marksSpaces(tokenizer);
  const stages: Stage[] = [];
  for (const part of components(tokenizer.get("pre_tokenizer") ?? null, "pretokenizers")) {
    const type = part.get("type") ?? null;
    if (type === "WhitespaceSplit" && stages.length === 0) stages.push(whitespaceStage);
    else if (type === "Metaspace" && stages.every((stage) => stage === whitespaceStage)) {
      stages.push(metaspaceStage(getBoolean(part, "split", { default: true }), metaspacePrefix(part)));
      marked = true;
    } else if (type !== "Split" || !marked || objectAt(part, "pattern").get("String") !== " ") {
      throw bad("pre_tokenizer", 'WhitespaceSplit, one Metaspace, or Split at " " behind Replace', type);
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

/**
 * SentencePiece's decoder: `Replace` or `Metaspace`, `ByteFallback`, `Fuse`, and after that a `Strip` of one space.
 * @param hasBytes whether the vocabulary has tokens for bytes, which need `ByteFallback`
 */
export function pieceDecoding(tokenizer: JsonObject, hasBytes = true): Decoding {
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
  if (!spaces || fallback !== hasBytes)
    throw bad("decoder", `Replace or Metaspace, ${hasBytes ? "and" : "and without bytes no"} ByteFallback`, null);
  return { eachByte: true, ...(strip === undefined ? {} : { strip }) };
}

function expectReplace(part: JsonObject, from: string, to: string, where: string): void {
  const pattern = objectAt(part, "pattern").get("String") ?? null;
  const content = getString(part, "content");
  if (pattern !== from) throw bad(`${where} Replace`, JSON.stringify(from), pattern);
  if (content !== to) throw bad(`${where} Replace content`, JSON.stringify(to), content);
}
