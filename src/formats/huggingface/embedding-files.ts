/**
 * What makes a folder an embedding model or a reranker: its sentence-transformers' files, its class, or its name.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { isObject } from "../../base/json.ts";
import { type ByteSource, type FileSet, readExactly } from "../../io/byte-source.ts";
import type { HuggingFaceFiles, TensorInfo } from "../checkpoint.ts";
import type { FormatLimits } from "../limits.ts";
import type { TranslatedConfig } from "./config.ts";
import { readSentenceTransformers } from "./sentence-transformers.ts";
import type { TextFiles } from "./text-files.ts";

/** The folder, as far as it is read. */
export interface Folder {
  readonly files: FileSet;
  readonly text: TextFiles;
  readonly limits: FormatLimits;
  readonly huggingFace: HuggingFaceFiles;
  /** The files with weights that are open. Those of dense layers join them. */
  readonly sources: ByteSource[];
}

/** llama.cpp's number of the pooling of a reranker. */
const RANK = 4;

/**
 * Qwen3-Reranker's prompt (Zhang et al. 2025, "Qwen3 Embedding"; its model card), as llama.cpp's converter stores it.
 */
const QWEN3_RERANK = `<|im_start|>system
Judge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>
<|im_start|>user
<Instruct>: Given a web search query, retrieve relevant passages that answer the query
<Query>: {query}
<Document>: {document}<|im_end|>
<|im_start|>assistant
<think>

</think>

`;

/**
 * Adds the metadata and the tensors of an embedding model or a reranker.
 * @returns the chat templates, with that of a reranker under the name "rerank"
 * @throws NibbleError as `readSentenceTransformers`
 */
export async function addEmbeddingFiles(
  folder: Folder,
  { family, metadata }: TranslatedConfig,
  tensors: Map<string, TensorInfo>,
): Promise<HuggingFaceFiles["chatTemplates"]> {
  const { files, text, limits, sources, huggingFace } = folder;
  const { chatTemplates } = huggingFace;
  const found = await readSentenceTransformers(files, text, limits, family.architecture);
  sources.push(...(found?.sources ?? []));
  for (const [key, value] of found?.metadata ?? []) metadata.set(key, value);
  for (const tensor of found?.tensors ?? []) tensors.set(tensor.name, tensor);
  const answers = found?.answers ?? (await qwenAnswers(folder, family.architecture));
  if (tensors.has("cls.output.weight") || answers) metadata.set(`${family.architecture}.pooling_type`, RANK);
  if (!answers) return chatTemplates;
  if ([...chatTemplates.values()].some((template) => /["']document["']/.test(template)))
    throw new NibbleError(
      "unsupported_architecture",
      "a reranker whose chat template has a role for documents is not supported; Qwen3-Reranker's prompt is",
    );
  metadata.set(`${family.architecture}.classifier.output_labels`, ["yes", "no"]);
  tensors.set("cls.output.weight", rowsOfHead(tensors, [answers.yes, answers.no]));
  tensors.delete("output.weight");
  return new Map([...chatTemplates, ["rerank", QWEN3_RERANK]]);
}

const README_BYTES = 2 ** 16;

/** Qwen3-Reranker's files differ from those of a chat model only in the heading of its card, as llama.cpp tells it too. */
async function qwenAnswers(
  { files, huggingFace }: Folder,
  architecture: string,
): Promise<{ yes: number; no: number } | undefined> {
  if (architecture !== "qwen3" || !(await files.has("README.md"))) return undefined;
  const source = await files.open("README.md");
  const card = new TextDecoder().decode(await readExactly(source, 0, Math.min(source.size, README_BYTES)));
  await source.close?.();
  const model = huggingFace.tokenizer?.get("model");
  const vocab = isObject(model) ? model.get("vocab") : undefined;
  if (!/^# Qwen3-Reranker/m.test(card) || !isObject(vocab)) return undefined;
  const [yes, no] = [vocab.get("yes"), vocab.get("no")];
  return typeof yes === "number" && typeof no === "number" ? { yes, no } : undefined;
}

/** Some rows of the matrix of the LM head, as a matrix of their own. */
function rowsOfHead(tensors: ReadonlyMap<string, TensorInfo>, rows: readonly number[]): TensorInfo {
  const head = tensors.get("output.weight") ?? tensors.get("token_embd.weight");
  const [count, columns] = head?.shape ?? [];
  if (!head || !count || !columns || rows.some((row) => row >= count))
    throw new NibbleError("bad_shape", `the LM head has no rows ${rows}, whose products a reranker compares`);
  const bytes = head.byteLength / count;
  const source: ByteSource = {
    size: bytes * rows.length,
    async read(offset, length) {
      const parts = rows.map((row) => readExactly(head.source, head.offset + row * bytes, bytes));
      const all = new Uint8Array(bytes * rows.length);
      for (const [i, part] of (await Promise.all(parts)).entries()) all.set(part, i * bytes);
      return all.slice(offset, offset + length);
    },
  };
  const shape = [rows.length, columns];
  return { name: "cls.output.weight", type: head.type, shape, source, offset: 0, byteLength: source.size };
}
