/**
 * The metadata of a new file, as llama.cpp's converter writes it.
 * @module
 */
import type { Checkpoint, MetadataValue } from "../../src/formats/checkpoint.ts";
import type { TensorType } from "../../src/formats/tensor-types.ts";
import { readExactly } from "../../src/io/byte-source.ts";
import type { ImportanceFile } from "../measure/importance.ts";
import { valueCount } from "../source-tensors.ts";
import { ggufTokenizer, paddedTokenizer } from "../tokenizer/gguf-tokenizer.ts";
import { fileType, type WeightType } from "../types/weight-types.ts";
import { foreignFacts } from "./foreign-facts.ts";
import type { GgufTensor, HeaderMetadata, HeaderValue } from "./writer.ts";

/** Keys of a GGUF source that say how it is split into files. A new file does not get them. */
export const splitKey: RegExp = /^split\.(no|count|tensors\.count)$/;

/** Keys of Llama 3's RoPE scaling. GGUF has it in the tensor rope_freqs.weight; with the keys it would be applied twice. */
const llama3Scaling = /(^|\.)rope\.scaling\.(type|factor|original_context_length|low_freq_factor|high_freq_factor)$/;

/**
 * Keys that llama.cpp's converter does not write for an architecture. Readers derive a missing key from others. It is left
 * out here, too, if that gives the same value.
 */
const implied: ReadonlyMap<string, readonly string[]> = new Map([
  ["qwen2", ["rope.dimension_count"]],
  ["qwen3", ["rope.dimension_count"]],
  ["gemma3", ["rope.dimension_count", "attention.scale"]],
  ["gemma-embedding", ["rope.dimension_count", "attention.scale"]],
  ["olmo2", ["rope.dimension_count", "attention.key_length", "attention.value_length"]],
]);

/** Where the importance that weights were quantised with comes from. */
export interface ImportanceOrigin extends Omit<ImportanceFile, "importance"> {
  /** Name of the file. */
  readonly file: string;
  /** Number of matrices that it has. */
  readonly entryCount: number;
}

interface MetadataOptions {
  readonly type?: WeightType;
  readonly name?: string;
  readonly importanceOrigin?: ImportanceOrigin;
}

/**
 * The metadata of a new file, and facts that it cannot express.
 * @param tensors the tensors of the new file
 * @throws NibbleError `bad_tokenizer`; what the source rejects with
 */
export async function ggufMetadata(
  checkpoint: Checkpoint,
  tensors: readonly GgufTensor[],
  options: MetadataOptions,
): Promise<{ metadata: HeaderMetadata; notes: readonly string[] }> {
  const { metadata, notes } =
    checkpoint.huggingFace === undefined
      ? { metadata: await fromGguf(checkpoint, options), notes: [] }
      : fromHuggingFace(checkpoint, tensors, options);
  return { metadata: new Map([...metadata, ...importanceKeys(options.importanceOrigin)]), notes };
}

/** The keys that llama.cpp's quantiser writes. What the importance's file does not say is left out. */
function importanceKeys(origin: ImportanceOrigin | undefined): [string, MetadataValue][] {
  if (origin === undefined) return [];
  const { file, dataset, entryCount, chunkCount } = origin;
  const facts = { file, dataset, entries_count: entryCount, chunks_count: chunkCount };
  return Object.entries(facts).flatMap(([key, value]) =>
    value === undefined ? [] : [[`quantize.imatrix.${key}`, value]],
  );
}

/** The source's own keys, as it encodes them, and the type of the weights if one was asked for. */
async function fromGguf(checkpoint: Checkpoint, { type, name }: MetadataOptions): Promise<HeaderMetadata> {
  const metadata = await encodedMetadata(checkpoint);
  if (name !== undefined) metadata.set("general.name", name);
  if (type !== undefined) metadata.set("general.file_type", fileType(type));
  if (type !== undefined) metadata.set("general.quantization_version", 2);
  return metadata;
}

/** The metadata of a GGUF file as it is encoded, without `split.*`. */
export async function encodedMetadata({ metadata, encodedMetadata }: Checkpoint): Promise<Map<string, HeaderValue>> {
  const copied = new Map<string, HeaderValue>();
  for (const [key, value] of metadata) {
    if (splitKey.test(key)) continue;
    const range = encodedMetadata?.get(key);
    copied.set(
      key,
      range === undefined ? value : { encoded: await readExactly(range.source, range.offset, range.length) },
    );
  }
  return copied;
}

function fromHuggingFace(
  checkpoint: Checkpoint,
  tensors: readonly GgufTensor[],
  { type, name }: MetadataOptions,
): { metadata: HeaderMetadata; notes: readonly string[] } {
  const { architecture } = checkpoint;
  // The order is that of llama.cpp's converter.
  const metadata = new Map<string, MetadataValue>([
    ["general.architecture", architecture],
    ["general.type", "model"],
    ["general.name", name ?? architecture],
    ["general.file_type", fileType(type ?? mostly(tensors))],
    ["general.quantization_version", 2],
  ]);
  for (const [key, value] of checkpoint.metadata) metadata.set(key, value);
  if (metadata.get(`${architecture}.rope.scaling.type`) === "llama3") {
    for (const key of metadata.keys()) if (llama3Scaling.test(key)) metadata.delete(key);
  }
  leaveOutImplied(metadata, architecture);
  const vocabSize = checkpoint.tensors.get("token_embd.weight")?.shape[0] ?? 0;
  metadata.set(`${architecture}.vocab_size`, vocabSize);
  const files = checkpoint.huggingFace!;
  const tokenizer =
    files.tokenizer === undefined
      ? paddedTokenizer(checkpoint.metadata, files, vocabSize)
      : ggufTokenizer(files, vocabSize);
  for (const [key, value] of tokenizer.metadata) metadata.set(key, value);
  return { metadata, notes: [...tokenizer.notes, ...foreignFacts(metadata, architecture)] };
}

/** The type of most of a folder's weights. */
function mostly(tensors: readonly GgufTensor[]): WeightType {
  const sums = new Map<TensorType, number>();
  for (const { type, shape } of tensors) sums.set(type, (sums.get(type) ?? 0) + valueCount(shape));
  const [type = "F32"] = [...sums].sort(([, a], [, b]) => b - a)[0] ?? [];
  return type.toLowerCase() as WeightType;
}

/** Deletes the `implied` keys whose value readers derive. */
function leaveOutImplied(metadata: Map<string, MetadataValue>, architecture: string): void {
  const get = (key: string): number => Number(metadata.get(`${architecture}.${key}`));
  const ofHeads = get("embedding_length") / get("attention.head_count");
  const headSize = get("attention.key_length") || ofHeads;
  const otherwise = (key: string): number => {
    if (key === "attention.scale") return Math.fround(1 / Math.sqrt(headSize));
    return key === "rope.dimension_count" ? headSize : ofHeads;
  };
  for (const key of implied.get(architecture) ?? [])
    if (get(key) === otherwise(key)) metadata.delete(`${architecture}.${key}`);
}
