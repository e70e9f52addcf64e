/**
 * Reader for a Hugging Face model folder: configuration, tokenizer files and safetensors weights become a checkpoint with
 * GGUF's keys and names. Every file is bounded and checked. Nothing but JSON, the chat template and weights is read.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { type JsonObject, parseJsonObject } from "../../base/json.ts";
import type { ByteSource, FileSet } from "../../io/byte-source.ts";
import type { Checkpoint, HuggingFaceFiles, MetadataValue } from "../checkpoint.ts";
import type { FormatLimits } from "../limits.ts";
import { defaultLimits } from "../limits.ts";
import type { SafetensorsTensor } from "../safetensors.ts";
import { parseShardIndex, readSafetensors } from "../safetensors.ts";
import { readChatTemplates } from "./chat-templates.ts";
import { translateConfig } from "./config.ts";
import { addEmbeddingFiles } from "./embedding-files.ts";
import { readSentencePieceModel } from "./sentencepiece-model.ts";
import { translateTensors } from "./tensors.ts";
import { TextFiles } from "./text-files.ts";
import { deleteCopiedHead } from "./tied-head.ts";

/**
 * Reads a folder with config.json, tokenizer.json (or tokenizer.model) and model.safetensors (or its index and shards). The files
 * tokenizer_config.json, generation_config.json, chat_template.jinja and additional_chat_templates/*.jinja are optional, and
 * so are those of sentence-transformers.
 * The files with weights stay open until the checkpoint's `close`.
 * @throws NibbleError with a format code, such as `missing_file`, `unsupported_architecture`
 */
export async function readHuggingFace(files: FileSet, limits: Partial<FormatLimits> = {}): Promise<Checkpoint> {
  const bounds = { ...defaultLimits, ...limits };
  if (!(await files.has("config.json")))
    throw new NibbleError(
      "missing_file",
      "config.json is missing; a model folder needs config.json, tokenizer.json and model.safetensors (or its index and shards)",
    );
  const text = new TextFiles(files);
  const config = parseJsonObject(await text.read("config.json", bounds.configBytes), { name: "config.json" });
  const generationConfig = await text.json("generation_config.json", bounds.configBytes);
  const translated = translateConfig(config, generationConfig);
  const tokenizerConfig = await text.json("tokenizer_config.json", bounds.configBytes);
  const { tokenizer, keys } = await readTokenizerFile(text, tokenizerConfig, bounds.tokenizerBytes);
  // The ids of config.json count.
  for (const [key, value] of keys) if (!translated.metadata.has(key)) translated.metadata.set(key, value);
  const huggingFace: HuggingFaceFiles = {
    config,
    tokenizer,
    tokenizerConfig,
    generationConfig,
    chatTemplates: await readChatTemplates(text, tokenizerConfig, bounds.configBytes),
  };
  const weights = await readWeights(files, bounds);
  try {
    const tensors = translateTensors(weights.tensors, translated);
    if (translated.tied) await deleteCopiedHead(tensors);
    else if (!tensors.has("output.weight")) translated.metadata.set("nibble.headless", true);
    const folder = { files, text, limits: bounds, huggingFace, sources: weights.sources };
    const chatTemplates = await addEmbeddingFiles(folder, translated, tensors);
    return {
      format: "huggingface",
      architecture: translated.family.architecture,
      metadata: translated.metadata,
      tensors,
      permutedQK: false,
      huggingFace: { ...huggingFace, chatTemplates },
      headerBytes: text.bytesRead + weights.headerBytes,
      close: () => closeAll(weights.sources),
    };
  } catch (error) {
    await closeAll(weights.sources);
    throw error;
  }
}

/** tokenizer.json, or the keys of tokenizer.model where there is no such file. */
async function readTokenizerFile(
  text: TextFiles,
  config: JsonObject | undefined,
  maxBytes: number,
): Promise<{ tokenizer: JsonObject | undefined; keys: [string, MetadataValue][] }> {
  const json = await text.optional("tokenizer.json", maxBytes);
  const model = json === undefined ? await text.optional("tokenizer.model", maxBytes) : undefined;
  if (model !== undefined) return { tokenizer: undefined, keys: readSentencePieceModel(model, config) };
  const bytes = json ?? (await text.read("tokenizer.json", maxBytes)); // which says that the file is missing
  return { tokenizer: parseJsonObject(bytes, { name: "tokenizer.json" }), keys: [] };
}

interface Weights {
  tensors: Map<string, SafetensorsTensor>;
  sources: ByteSource[];
  headerBytes: number;
}

async function readWeights(files: FileSet, limits: FormatLimits): Promise<Weights> {
  const weights: Weights = { tensors: new Map(), sources: [], headerBytes: 0 };
  const indexName = "model.safetensors.index.json";
  try {
    if ((await files.has("model.safetensors")) || !(await files.has(indexName))) {
      await addFile(weights, files, "model.safetensors", limits);
      return weights;
    }
    const text = new TextFiles(files);
    const index = parseShardIndex(await text.read(indexName, limits.safetensorsHeaderBytes), limits);
    weights.headerBytes += text.bytesRead;
    const shards = new Map<string, ByteSource>();
    for (const file of new Set(index.values())) shards.set(file, await addFile(weights, files, file, limits));
    for (const [name, file] of index) {
      if (weights.tensors.get(name)?.source !== shards.get(file)) {
        throw new NibbleError(
          "missing_tensor",
          `tensor ${JSON.stringify(name)} is missing from ${file}, where ${indexName} lists it`,
        );
      }
    }
    return weights;
  } catch (error) {
    await closeAll(weights.sources);
    throw error;
  }
}

async function addFile(weights: Weights, files: FileSet, name: string, limits: FormatLimits): Promise<ByteSource> {
  const source = await files.open(name);
  weights.sources.push(source);
  const { tensors, headerBytes } = await readSafetensors(source, limits);
  weights.headerBytes += headerBytes;
  for (const tensor of tensors.values()) {
    if (weights.tensors.has(tensor.name)) {
      throw new NibbleError("duplicate_key", `tensor ${JSON.stringify(tensor.name)} is in two shards`);
    }
    weights.tensors.set(tensor.name, tensor);
  }
  return source;
}

async function closeAll(sources: readonly ByteSource[]): Promise<void> {
  for (const source of sources) await source.close?.();
}
