/**
 * What is done with a mutated file: all that a user does who loads it. Every function ends with a NibbleError or with the
 * file's content used.
 * @module
 */
import { readRequests } from "../../../src/batch/read.ts";
import { readParquet } from "../../../src/cli/eval/parquet.ts";
import type { Model } from "../../../src/engine/model.ts";
import { readSentencePieceModel } from "../../../src/formats/huggingface/sentencepiece-model.ts";
import type { FileSet } from "../../../src/io/byte-source.ts";
import { bytesSource } from "../../../src/io/memory-source.ts";
import { openCheckpoint } from "../../../src/load/checkpoint.ts";
import { createLoad } from "../../../src/load/create-load.ts";
import type { ModelSource } from "../../../src/load/source.ts";
import { createTokenizer } from "../../../src/tokenizer/create.ts";
import { memoryFiles } from "../../formats/helpers.ts";
import { testHost } from "../../helpers/models.ts";
import { Broken } from "../target.ts";
import { compareBuilds, OPTIONS } from "./differential.ts";

export type Files = Readonly<Record<string, Uint8Array>>;

const TEXT = "Hello, world! <s> 8 * 33 = 264\n\u00e9\u{1f642} \ud800";

const openModel = (files: Files): (() => ModelSource) =>
  files["model.gguf"] === undefined ? () => memoryFiles(files) as FileSet : () => bytesSource(files["model.gguf"]!);

/** Text, templates and a few tokens, as a chat uses them. */
async function useModel(model: Model): Promise<void> {
  try {
    const ids = model.tokenize(TEXT).slice(0, 8);
    if (typeof model.detokenize(ids) !== "string") throw new Broken("detokenize gave no text");
    for (let id = 0; id < Math.min(8, model.info.vocabSize); id++) model.tokenBytes(id);
    if (model.info.chatTemplate === "model") model.applyTemplate([{ role: "user", content: TEXT }]);
    const prompt = ids.length > 0 ? ids : [0];
    for await (const _ of model.generate({ prompt, maxTokens: 4, sampling: { seed: 1 } }));
  } finally {
    model.dispose();
  }
}

/** @param threads of the build with threads */
export async function useModelFiles(files: Files, threads: number): Promise<void> {
  const source = openModel(files);
  await compareBuilds(() => openCheckpoint(source(), testHost), threads);
  await useModel(await createLoad(testHost)(source(), OPTIONS));
}

/** A base model that is good, with the adapter that is not. */
export async function useAdapter(base: ModelSource, adapter: ModelSource): Promise<void> {
  const lora = [{ source: adapter, name: "a" }];
  const model = await createLoad(testHost)(base, { ...OPTIONS, lora });
  try {
    for await (const _ of model.generate({ prompt: [5, 6, 7], maxTokens: 2, lora: [{ name: "a", scale: 1 }] }));
  } finally {
    model.dispose();
  }
}

export async function useSentencePiece(bytes: Uint8Array): Promise<void> {
  const tokenizer = createTokenizer({ metadata: new Map(readSentencePieceModel(bytes, undefined)) });
  const ids = tokenizer.encode(TEXT);
  const wrong = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < tokenizer.vocabSize));
  if (wrong !== undefined) throw new Broken(`token id ${wrong} of ${tokenizer.vocabSize}`);
  tokenizer.decode(ids, {});
}

/** What a restored session computes, and that nothing of it stays behind. */
export async function useSession(model: Model, bytes: Uint8Array): Promise<void> {
  const before = model.stats().usedPages;
  try {
    const session = model.restore(bytes);
    try {
      if (session.length + 2 < model.info.contextLength) session.forward([5, 6]);
      session.save();
    } finally {
      session.dispose();
    }
  } finally {
    const { usedPages } = model.stats();
    // biome-ignore lint/correctness/noUnsafeFinally: pages that stay behind are the worse failure
    if (usedPages !== before) throw new Broken(`${usedPages - before} pages stayed in use`);
  }
}

export async function useBatchFile(bytes: Uint8Array): Promise<void> {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
  };
  for await (const { start, end, customId } of readRequests(chunks())) {
    const line = JSON.parse(new TextDecoder().decode(bytes.subarray(start, end)));
    if (line.custom_id !== customId) throw new Broken(`the line at ${start} is not that of ${customId}`);
  }
}

export async function useParquet(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for await (const rows of readParquet(bytes, "a.parquet")) JSON.stringify(rows);
}
