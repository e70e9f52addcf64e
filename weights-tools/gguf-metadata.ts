/**
 * The metadata of a new file, as llama.cpp's converter writes it.
 * @module
 */
import { NibbleError } from "../src/errors.ts";
import type { Checkpoint, MetadataValue } from "../src/formats/types.ts";
import { ggufTokenizer } from "./gguf-tokenizer.ts";
import { fileType, type WeightType } from "./weight-types.ts";

/** Keys of a GGUF source that describe the old file's layout, not the model. */
const aboutOldFile = /^(general\.alignment|split\.(no|count|tensors\.count))$/;

/** Llama 3's RoPE scaling, which GGUF keeps in the tensor rope_freqs.weight: scaling twice would be wrong. */
const llama3Scaling = /(^|\.)rope\.scaling\.(type|factor|original_context_length|low_freq_factor|high_freq_factor)$/;

/** Architectures whose Hugging Face folders we translate; a GGUF of any architecture keeps its own keys. */
const translated: ReadonlySet<string> = new Set(["llama", "llama4"]);

/**
 * @throws NibbleError `unsupported_architecture`, `bad_tokenizer`
 */
export function ggufMetadata(
  checkpoint: Checkpoint,
  options: { type: WeightType; name?: string },
): { metadata: Map<string, MetadataValue>; notes: readonly string[] } {
  const { architecture, huggingFace } = checkpoint;
  if (huggingFace !== undefined && !translated.has(architecture)) {
    throw new NibbleError(
      "unsupported_architecture",
      `cannot convert a ${architecture} folder yet, only ${[...translated]}`,
    );
  }
  const metadata = new Map<string, MetadataValue>([["general.architecture", architecture]]);
  if (huggingFace !== undefined) {
    metadata.set("general.type", "model").set("general.name", architecture);
    metadata.set("general.file_type", 0).set("general.quantization_version", 2); // set below; here for llama.cpp's order
  }
  for (const [key, value] of checkpoint.metadata) if (!aboutOldFile.test(key)) metadata.set(key, value);
  if (options.name !== undefined) metadata.set("general.name", options.name);
  metadata.set("general.file_type", fileType(options.type));
  metadata.set("general.quantization_version", 2);
  if (metadata.get(`${architecture}.rope.scaling.type`) === "llama3") {
    for (const key of metadata.keys()) if (llama3Scaling.test(key)) metadata.delete(key);
  }
  if (huggingFace === undefined) return { metadata, notes: [] };
  const vocabSize = checkpoint.tensors.get("token_embd.weight")?.shape[0] ?? 0;
  metadata.set(`${architecture}.vocab_size`, vocabSize);
  const tokenizer = ggufTokenizer(huggingFace, vocabSize);
  for (const [key, value] of tokenizer.metadata) metadata.set(key, value);
  return { metadata, notes: tokenizer.notes };
}
