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

/** A safetensors file with further F32 tensors, or with others in place of its own. */
export function withTensors(
  file: Uint8Array,
  more: Readonly<Record<string, { shape: number[]; values: Float32Array }>>,
): Uint8Array {
  const size = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const { __metadata__, ...tensors } = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + size)));
  const header: Record<string, unknown> = __metadata__ === undefined ? {} : { __metadata__ };
  const parts: Uint8Array[] = [];
  let end = 0;
  const add = (name: string, facts: object, bytes: Uint8Array): void => {
    header[name] = { ...facts, data_offsets: [end, end + bytes.length] };
    parts.push(bytes);
    end += bytes.length;
  };
  for (const [
    name,
    {
      data_offsets: [from, to],
      ...facts
    },
  ] of Object.entries<{ data_offsets: number[] }>(tensors))
    if (!(name in more)) add(name, facts, file.subarray(8 + size + from!, 8 + size + to!));
  for (const [name, { shape, values }] of Object.entries(more))
    add(name, { dtype: "F32", shape }, new Uint8Array(values.buffer));
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
