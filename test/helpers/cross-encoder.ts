/** A cross-encoder of random weights on the BERT of the fixtures. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { directoryFiles } from "../../src/hosts/node/files.ts";
import type { FileSet } from "../../src/io/byte-source.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { root } from "./models.ts";
import { Random } from "./random.ts";

export const bert: string = join(root, "test/fixtures/embeddings/bert");

/** The files of folders, with some of them replaced; undefined takes a file away. */
export function changed(
  folders: readonly string[],
  files: Readonly<Record<string, string | Uint8Array | undefined>>,
): FileSet {
  const sets = folders.map(directoryFiles);
  const find = async (name: string) => {
    for (const set of sets) if (await set.has(name)) return set;
    return undefined;
  };
  return {
    has: async (name) => (name in files ? files[name] !== undefined : (await find(name)) !== undefined),
    async open(name) {
      const own = files[name];
      if (own === undefined) return ((await find(name)) ?? sets[0]!).open(name);
      return bytesSource(typeof own === "string" ? new TextEncoder().encode(own) : own);
    },
  };
}

/** A safetensors file with further F32 tensors. */
export function withTensors(
  file: Uint8Array,
  more: Readonly<Record<string, { shape: number[]; values: Float32Array }>>,
): Uint8Array {
  const size = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + size)));
  const parts = [file.subarray(8 + size)];
  let end = parts[0]!.length;
  for (const [name, { shape, values }] of Object.entries(more)) {
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + values.byteLength] };
    parts.push(new Uint8Array(values.buffer));
    end += values.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(new BigUint64Array([BigInt(text.length)]).buffer);
  return new Uint8Array(Buffer.concat([length, text, ...parts]));
}

export const QUERY = "What is the capital of France?";
export const DOCUMENTS = ["Paris is the capital of France.", "The cat sat on the mat.", "", "a"];

export async function crossEncoder(labels: number, more: object = {}) {
  const random = new Random("classifier");
  const config = JSON.parse(readFileSync(join(bert, "config.json"), "utf8"));
  const weights = withTensors(readFileSync(join(bert, "model.safetensors")), {
    "classifier.weight": { shape: [labels, 64], values: random.normals(labels * 64) },
    "classifier.bias": { shape: [labels], values: random.normals(labels) },
  });
  return changed([bert], {
    "config.json": JSON.stringify({ ...config, architectures: ["BertForSequenceClassification"], ...more }),
    "model.safetensors": weights,
    "modules.json": undefined,
  });
}
