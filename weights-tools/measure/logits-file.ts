/**
 * Files of a reference run: the tokens of a text and the logits of every prediction. The format is our own, in a GGUF
 * container: `general.type` is "logits", `logits.context_length` a number, and the tensors are `tokens`, I32[n], and
 * `logits`, F32[n - 1, vocabulary].
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import type { MetadataValue, TensorInfo } from "../../src/formats/checkpoint.ts";
import { readGgufHeader } from "../../src/formats/gguf/header.ts";
import { getNumber } from "../../src/formats/typed-values.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { readExactly } from "../../src/io/byte-source.ts";
import { type ByteSink, type GgufTensor, writeGguf } from "../gguf/writer.ts";

/** A text, and how its predictions were made. */
export interface ReferenceRun {
  /** The ids of the text. */
  readonly tokens: readonly number[];
  /** Tokens per window of the text, which the predictions depend on. */
  readonly contextLength: number;
  readonly vocabSize: number;
}

/**
 * Writes a run while it happens.
 * @param logits one row per prediction, in order
 * @returns the number of bytes written
 */
export function writeLogits(sink: ByteSink, run: ReferenceRun, logits: Iterable<Float32Array>): Promise<number> {
  const metadata = new Map<string, MetadataValue>([
    ["general.type", "logits"],
    ["logits.context_length", run.contextLength],
  ]);
  const tensors: GgufTensor[] = [
    { name: "tokens", type: "I32", shape: [run.tokens.length] },
    { name: "logits", type: "F32", shape: [run.tokens.length - 1, run.vocabSize] },
  ];
  return writeGguf(sink, metadata, tensors, async function* ({ name }) {
    if (name === "tokens") yield new Uint8Array(Int32Array.from(run.tokens).buffer);
    else for (const { buffer, byteOffset, byteLength } of logits) yield new Uint8Array(buffer, byteOffset, byteLength);
  });
}

/**
 * Opens a run; `row(i)` reads the logits of prediction i.
 * @throws NibbleError with a format code
 */
export async function openLogits(
  source: ByteSource,
): Promise<ReferenceRun & { row(index: number): Promise<Float32Array> }> {
  const { metadata, tensors } = await readGgufHeader(source);
  const type = metadata.get("general.type");
  if (type !== "logits")
    throw new NibbleError("bad_value", `general.type: expected logits (a recorded run), got ${String(type)}`);
  const tensor = (name: string, type: string, dimensions: number): TensorInfo => {
    const found = tensors.find((tensor) => tensor.name === name);
    if (found?.type === type && found.shape.length === dimensions) return found;
    if (!found) throw new NibbleError("missing_tensor", `tensor ${name} is missing`);
    const got = `${found.type} [${found.shape}]`;
    throw new NibbleError("bad_shape", `tensor ${name}: expected ${type} with ${dimensions} dimensions, got ${got}`);
  };
  const ids = tensor("tokens", "I32", 1);
  const logits = tensor("logits", "F32", 2);
  const [rows, vocabSize] = logits.shape as [number, number];
  if (rows !== ids.shape[0]! - 1)
    throw new NibbleError(
      "bad_shape",
      `tensor logits: expected ${ids.shape[0]! - 1} rows, one less than tokens, got ${rows}`,
    );
  const bytes = await readExactly(source, ids.offset, ids.byteLength);
  return {
    tokens: [...new Int32Array(new Uint8Array(bytes).buffer)],
    contextLength: getNumber(metadata, "logits.context_length", { integer: true, min: 2 }),
    vocabSize,
    async row(index) {
      const row = await readExactly(source, logits.offset + index * vocabSize * 4, vocabSize * 4);
      return new Float32Array(new Uint8Array(row).buffer);
    },
  };
}
