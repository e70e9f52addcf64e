/**
 * SentencePiece's tokenizer.model under GGUF's keys, for folders without tokenizer.json. The file is a protobuf message of
 * pieces, scores and flags (google/sentencepiece, src/sentencepiece_model.proto; wire format:
 * https://protobuf.dev/programming-guides/encoding/).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { isObject, type Json, type JsonObject } from "../../base/json.ts";
import { decodeUtf8 } from "../../base/utf8.ts";
import type { MetadataValue } from "../checkpoint.ts";

/** Twice the largest published vocabulary, rounded up. */
const MAX_PIECES = 1 << 20;

/** A field of a message: its number, and its value as the wire type has it. */
interface Field {
  readonly number: number;
  /** A whole number, or the bytes of a string, of a message or of a float. */
  readonly value: number | Uint8Array;
}

/**
 * The keys `tokenizer.ggml.*` of a tokenizer.model.
 * @param config tokenizer_config.json, whose `added_tokens_decoder` can have further tokens
 * @throws NibbleError `bad_tokenizer` for a damaged file, or one whose normaliser or model is not supported
 */
export function readSentencePieceModel(
  bytes: Uint8Array,
  config: JsonObject | undefined,
): [key: string, value: MetadataValue][] {
  const tokens: string[] = [];
  const scores: number[] = [];
  const types: number[] = [];
  let trainer = new Map<number, number | Uint8Array>();
  let normalizer = new Map<number, number | Uint8Array>();
  for (const { number, value } of fieldsOf(bytes)) {
    if (number > 3) continue; // test data of the trainer, and a denormaliser that changes no ids
    if (typeof value === "number") throw bad(`field ${number} must be a message`);
    const fields = new Map(Array.from(fieldsOf(value), (field) => [field.number, field.value]));
    if (number === 2) trainer = fields;
    if (number === 3) normalizer = fields;
    if (number !== 1) continue;
    if (tokens.length === MAX_PIECES) throw bad(`expected at most ${MAX_PIECES} pieces, got more`);
    tokens.push(textOf(fields.get(1)));
    scores.push(floatOf(fields.get(2)));
    types.push(Number(fields.get(3) ?? 1));
  }
  if (tokens.length === 0) throw bad("it has no pieces");
  const count = tokens.length;
  addTokens(config, { tokens, scores, types });
  const addBos = config?.get("add_bos_token");
  return [
    ["tokenizer.ggml.model", modelOf(trainer)],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.scores", Float32Array.from(scores)],
    ["tokenizer.ggml.token_type", Int32Array.from(types)],
    ...normalizerKeys(normalizer),
    ["nibble.tokenizer.space_prefix_first", true],
    ...specialIds(trainer, count),
    ...(typeof addBos === "boolean" ? [["tokenizer.ggml.add_bos_token", addBos] as [string, boolean]] : []),
  ];
}

const CONTROL = 3;
const USER_DEFINED = 4;

/** Adds the tokens of `added_tokens_decoder`, and takes over which pieces are special. */
function addTokens(
  config: JsonObject | undefined,
  { tokens, scores, types }: { tokens: string[]; scores: number[]; types: number[] },
): void {
  const decoder = config?.get("added_tokens_decoder") ?? new Map<string, Json>();
  if (!isObject(decoder)) throw bad("added_tokens_decoder of tokenizer_config.json must be an object");
  for (const [key, entry] of [...decoder].sort(([a], [b]) => Number(a) - Number(b))) {
    const content = isObject(entry) ? entry.get("content") : undefined;
    const id = Number(key);
    if (typeof content !== "string" || !isObject(entry)) throw bad(`added token ${key} has no content`);
    if (id < tokens.length ? tokens[id] !== content : id !== tokens.length)
      throw bad(`added token ${key}: ${JSON.stringify(content)} is not the piece of this id`);
    tokens[id] = content;
    scores[id] ??= 0;
    if (types[id] !== 2) types[id] = entry.get("special") === true ? CONTROL : USER_DEFINED;
  }
}

/** The fields of a message, in order. */
function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const take = (count: number): Uint8Array => {
    if (count > bytes.length - at) throw bad(`it ends inside of a field of ${count} bytes`);
    at += count;
    return bytes.subarray(at - count, at);
  };
  const varint = (): number => {
    // Negative numbers have ten bytes. Their low 32 bits are enough, because no field of ours is larger.
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = take(1)[0]!;
      if (shift < 35) value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw bad("a number has more than ten bytes");
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wireType = tag & 7;
    if (number === 0) throw bad("a field has the number 0");
    if (wireType === 0) yield { number, value: varint() };
    else if (wireType === 1) yield { number, value: take(8) };
    else if (wireType === 2) yield { number, value: take(varint()) };
    else if (wireType === 5) yield { number, value: take(4) };
    else throw bad(`field ${number} has wire type ${wireType}, which is not in use`);
  }
}

function textOf(value: number | Uint8Array | undefined): string {
  if (!(value instanceof Uint8Array)) throw bad("a piece has no text");
  return decodeUtf8(value, "tokenizer.model");
}

function floatOf(value: number | Uint8Array | undefined): number {
  if (value === undefined) return 0;
  if (typeof value === "number" || value.length !== 4) throw bad("a score must be a float");
  return new DataView(value.buffer, value.byteOffset, 4).getFloat32(0, true);
}

/** GGUF's name of the model by `model_type`: 1 (the default) is unigram, 2 is BPE. */
function modelOf(trainer: ReadonlyMap<number, number | Uint8Array>): string {
  const type = trainer.get(3) ?? 1;
  if (type === 1) return "t5";
  if (type === 2) return "llama";
  throw bad(`model_type ${type} is not supported; unigram (1) and BPE (2) are`);
}

/** The steps of the normaliser: its map of characters, and what it does to spaces. */
function normalizerKeys(normalizer: ReadonlyMap<number, number | Uint8Array>): [string, MetadataValue][] {
  if ((normalizer.get(5) ?? 1) === 0) throw bad("escape_whitespaces false is not supported");
  const map = normalizer.get(2);
  return [
    ...(map instanceof Uint8Array && map.length > 0
      ? [["tokenizer.ggml.precompiled_charsmap", map.slice()] as [string, MetadataValue]]
      : []),
    ["tokenizer.ggml.remove_extra_whitespaces", (normalizer.get(4) ?? 1) !== 0],
    ["tokenizer.ggml.add_space_prefix", (normalizer.get(3) ?? 1) !== 0],
  ];
}

/** The ids of tokens that have a role. -1 stands for none, and a missing one has the trainer's default. */
function specialIds(trainer: ReadonlyMap<number, number | Uint8Array>, count: number): [string, MetadataValue][] {
  const roles = [
    ["unknown", 40, 0],
    ["bos", 41, 1],
    ["eos", 42, 2],
    ["padding", 43, -1],
  ] as const;
  return roles.flatMap(([role, number, missing]): [string, MetadataValue][] => {
    const id = Number(trainer.get(number) ?? missing);
    return id >= 0 && id < count ? [[`tokenizer.ggml.${role}_token_id`, id]] : [];
  });
}

const bad = (what: string): NibbleError => new NibbleError("bad_tokenizer", `tokenizer.model: ${what}`);
