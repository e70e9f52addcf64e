/**
 * A reference run on disk: the tokens of a text and the logits of every prediction. The format is ours, in a GGUF
 * container: `general.type` "logits", `logits.context_length`, tensors `tokens` I32[n] and `logits` F32[n - 1, vocabulary].
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import type { MetadataValue, TensorInfo } from "../../src/formats/checkpoint.ts";
import { readGgufHeader } from "../../src/formats/gguf/header.ts";
import { getNumber } from "../../src/formats/typed-values.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { readExactly } from "../../src/io/byte-source.ts";
import { type ByteSink, type GgufTensor, writeGguf } from "../gguf/writer.ts";

export interface ReferenceRun {
  readonly tokens: readonly number[];
  /** Tokens of a window: predictions depend on it. */
  readonly contextLength: number;
  readonly vocabSize: number;
}

/**
 * Writes a run as it happens.
 * @param logits one row a prediction, in order
 * @returns bytes written
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
    throw new NibbleError("bad_value", `expected recorded logits (general.type logits), got ${String(type)}`);
  const tensor = (name: string, type: string, dimensions: number): TensorInfo => {
    const found = tensors.find((tensor) => tensor.name === name);
    if (found?.type === type && found.shape.length === dimensions) return found;
    const came = found ? `${found.type} [${found.shape}]` : "none";
    throw new NibbleError("bad_shape", `expected a tensor ${name} of ${type} in ${dimensions} dimensions, got ${came}`);
  };
  const ids = tensor("tokens", "I32", 1);
  const logits = tensor("logits", "F32", 2);
  const [rows, vocabSize] = logits.shape as [number, number];
  if (rows !== ids.shape[0]! - 1)
    throw new NibbleError("bad_shape", `expected ${ids.shape[0]! - 1} rows of logits, got ${rows}`);
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
