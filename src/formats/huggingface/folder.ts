/**
 * Reader for a Hugging Face model folder: configuration, tokenizer files and safetensors weights become a checkpoint with
 * GGUF's keys and names. Every file is bounded and checked. Nothing but JSON, the chat template and weights is read.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { isObject, parseJsonObject } from "../../base/json.ts";
import { decodeUtf8 } from "../../base/utf8.ts";
import type { ByteSource, FileSet } from "../../io/byte-source.ts";
import { readExactly } from "../../io/byte-source.ts";
import type { Checkpoint, HuggingFaceFiles } from "../checkpoint.ts";
import type { FormatLimits } from "../limits.ts";
import { defaultLimits } from "../limits.ts";
import type { SafetensorsTensor } from "../safetensors.ts";
import { parseShardIndex, readSafetensors } from "../safetensors.ts";
import { translateConfig } from "./config.ts";
import { translateTensors } from "./tensors.ts";

/**
 * Reads a folder with config.json, tokenizer.json and model.safetensors (or its index and shards). The files
 * tokenizer_config.json, generation_config.json and chat_template.jinja are optional.
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
  const { family, metadata } = translateConfig(config, generationConfig);
  const tokenizer = parseJsonObject(await text.read("tokenizer.json", bounds.tokenizerBytes), {
    name: "tokenizer.json",
  });
  const tokenizerConfig = await text.json("tokenizer_config.json", bounds.configBytes);
  const jinja = await text.optional("chat_template.jinja", bounds.configBytes);
  const huggingFace: HuggingFaceFiles = {
    config,
    tokenizer,
    tokenizerConfig,
    generationConfig,
    chatTemplate: jinja ? decodeUtf8(jinja, "chat_template.jinja") : chatTemplateOf(tokenizerConfig),
  };
  const weights = await readWeights(files, bounds);
  try {
    return {
      format: "huggingface",
      architecture: family.architecture,
      metadata,
      tensors: translateTensors(weights.tensors, family, config),
      permutedQK: false,
      huggingFace,
      headerBytes: text.bytesRead + weights.headerBytes,
      close: () => closeAll(weights.sources),
    };
  } catch (error) {
    await closeAll(weights.sources);
    throw error;
  }
}

/** Reads the files that are read whole, and counts their bytes. */
class TextFiles {
  readonly #files: FileSet;
  bytesRead = 0;

  constructor(files: FileSet) {
    this.#files = files;
  }

  async read(name: string, maxBytes: number): Promise<Uint8Array> {
    const source = await this.#files.open(name);
    try {
      if (source.size > maxBytes) {
        throw new NibbleError("limit_exceeded", `${name}: expected at most ${maxBytes} bytes, got ${source.size}`);
      }
      this.bytesRead += source.size;
      return await readExactly(source, 0, source.size);
    } finally {
      await source.close?.();
    }
  }

  async optional(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    return (await this.#files.has(name)) ? this.read(name, maxBytes) : undefined;
  }

  async json(name: string, maxBytes: number): Promise<JsonObject | undefined> {
    const bytes = await this.optional(name, maxBytes);
    return bytes && parseJsonObject(bytes, { roundIntegers: true, name });
  }
}

/** `chat_template` is a string, or a list of { name, template } with one named "default". */
function chatTemplateOf(tokenizerConfig: JsonObject | undefined): string | undefined {
  const template = tokenizerConfig?.get("chat_template") ?? undefined;
  if (template === undefined || typeof template === "string") return template;
  if (Array.isArray(template)) {
    const named = template
      .filter(isObject)
      .find((item) => item.get("name") === "default")
      ?.get("template");
    if (named === undefined || typeof named === "string") return named;
  }
  throw new NibbleError(
    "bad_type",
    "tokenizer_config.json chat_template must be a string or a list of named templates",
  );
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
