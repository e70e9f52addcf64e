import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Checkpoint, MetadataValue, TensorInfo } from "../../src/formats/checkpoint.ts";
import { readGguf } from "../../src/formats/gguf/model.ts";
import { readHuggingFace } from "../../src/formats/huggingface/folder.ts";
import type { ByteSource, FileSet } from "../../src/io/byte-source.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { type ConvertOptions, type ConvertReport, convert } from "../../weights-tools/convert.ts";
import { dequantize } from "../../weights-tools/dequantize/dequantize.ts";
import type { ByteSink } from "../../weights-tools/gguf/writer.ts";

const root = new URL("../../", import.meta.url);
export const pathOf = (name: string): string => fileURLToPath(new URL(name, root));
export const bytesOf = (name: string): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(pathOf(name)));

/** Compares megabytes in milliseconds; `toEqual` takes seconds. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Keeps a copy of what it is given, as the writer uses its buffers again. */
export class MemorySink implements ByteSink {
  readonly #chunks: Uint8Array[] = [];
  async write(bytes: Uint8Array): Promise<void> {
    this.#chunks.push(bytes.slice());
  }
  bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(Buffer.concat(this.#chunks));
  }
  get largestWrite(): number {
    return Math.max(...this.#chunks.map((chunk) => chunk.length));
  }
}

export async function converted(
  checkpoint: Checkpoint,
  options: ConvertOptions,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; report: ConvertReport; checkpoint: Checkpoint }> {
  const sink = new MemorySink();
  const report = await convert(checkpoint, sink, options);
  const bytes = sink.bytes();
  return { bytes, report, checkpoint: await readGguf(bytesSource(bytes)) };
}

/** A model of test/fixtures/architectures; they share one tokenizer. */
export function fixtureFolder(model: string, config = "config.json"): Promise<Checkpoint> {
  const folder = "test/fixtures/architectures";
  return readHuggingFace(
    files((name) => {
      if (name === "config.json") return `${folder}/${model}/${config}`;
      return name.startsWith("tokenizer") ? `${folder}/tokenizer/${name}` : `${folder}/${model}/${name}`;
    }),
  );
}

export const fixtureGguf = (model: string): Promise<Checkpoint> =>
  readGguf(bytesSource(bytesOf(`test/fixtures/architectures/${model}/model.gguf`)));

export const crumb = (): Promise<Checkpoint> => readHuggingFace(files((name) => `models/crumb/${name}`));

const files = (path: (name: string) => string): FileSet => ({
  has: async (name) => existsSync(pathOf(path(name))),
  open: async (name) => bytesSource(bytesOf(path(name))),
});

export function rawBytes({ source, offset, byteLength }: TensorInfo): Promise<Uint8Array> {
  return source.read(offset, byteLength);
}

export async function values(tensor: TensorInfo): Promise<Float32Array> {
  const result = new Float32Array(tensor.shape.reduce((product, length) => product * length, 1));
  dequantize(tensor.type, await rawBytes(tensor), result);
  return result;
}

/** A checkpoint of float32 tensors whose bytes come from `source`, one after the other. */
export function syntheticCheckpoint(
  tensors: readonly { name: string; shape: readonly number[] }[],
  source: ByteSource,
  rest: Partial<Checkpoint> = {},
): Checkpoint {
  const infos = new Map<string, TensorInfo>();
  let offset = 0;
  for (const { name, shape } of tensors) {
    const byteLength = 4 * shape.reduce((product, length) => product * length, 1);
    infos.set(name, { name, type: "F32", shape, source, offset, byteLength });
    offset += byteLength;
  }
  return {
    format: "gguf",
    architecture: "llama",
    metadata: new Map([["general.architecture", "llama"]]),
    tensors: infos,
    permutedQK: true,
    headerBytes: 0,
    close: async () => {},
    ...rest,
  };
}

export const floatSource = (numbers: ArrayLike<number>): ByteSource =>
  bytesSource(new Uint8Array(Float32Array.from(numbers).buffer));

/** A llama checkpoint in Hugging Face's order with 2 heads of 4, 1 kv head; row r holds r in every column. */
export function headed(permutedQK: boolean, architecture = "llama"): Checkpoint {
  const metadata = new Map<string, MetadataValue>([
    ["general.architecture", architecture],
    [`${architecture}.attention.head_count`, 2],
    [`${architecture}.attention.head_count_kv`, 1],
  ]);
  const tensors = [
    { name: "blk.0.attn_q.weight", shape: [8, 3] },
    { name: "blk.0.attn_q.bias", shape: [8] },
    { name: "blk.0.attn_k.weight", shape: [4, 3] },
    { name: "blk.0.attn_v.weight", shape: [4, 3] },
  ];
  const rows = tensors.flatMap(({ shape }) =>
    Array.from({ length: shape[0]! }, (_, row) => new Array(shape[1] ?? 1).fill(row)).flat(),
  );
  return syntheticCheckpoint(tensors, floatSource(rows), { architecture, metadata, permutedQK });
}
