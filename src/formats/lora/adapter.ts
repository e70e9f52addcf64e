/**
 * Low-rank adapters (LoRA, Hu et al. 2021): beside a product W x, scale B (A x). From GGUF, as llama.cpp's
 * convert_lora_to_gguf.py writes them, and from PEFT's folders, under the names of the model they are for.
 * @module
 */

import type { ByteSource, FileSet } from "../../io/byte-source.ts";
import { readInto } from "../../io/byte-source.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { headRows, interleaveHalves, separateHalves } from "../permute.ts";
import { rowBytes } from "../tensor-types.ts";
import { readGgufAdapter } from "./gguf.ts";
import { readPeftAdapter } from "./peft.ts";
import type { Adapter, LowRank } from "./products.ts";

/**
 * Reads an adapter's header and checks it by itself; whether it fits the model's products shows when these are planned.
 * The sources stay open until its `close`; after an error they are closed.
 * @throws NibbleError with a format code
 */
export async function readAdapter(
  opened: { readonly file: ByteSource } | { readonly files: FileSet },
  base: Checkpoint,
): Promise<Adapter> {
  const adapter =
    "file" in opened ? await readGgufAdapter(opened.file, base) : await readPeftAdapter(opened.files, base);
  if (adapter.permutedQK === base.permutedQK) return adapter;
  try {
    const products = new Map<string, LowRank>();
    for (const [name, product] of adapter.products) products.set(name, inOrderOf(base, name, product));
    return { products, close: adapter.close };
  } catch (error) {
    await adapter.close();
    throw error;
  }
}

/** B with q and k rows as the model has them. */
function inOrderOf(base: Checkpoint, name: string, product: LowRank): LowRank {
  const { shape, type, source, offset, byteLength } = product.b;
  const rows = headRows({ ...base, permutedQK: false }, { name, shape });
  if (rows === 0) return product;
  const rearrange = base.permutedQK ? interleaveHalves : separateHalves;
  const load = async (): Promise<Uint8Array> => {
    const raw = new Uint8Array(byteLength);
    await readInto(source, offset, raw);
    return rearrange(raw, rows, rowBytes(type, shape[1]!));
  };
  let loaded: Promise<Uint8Array> | undefined;
  // At the same offset: a stream is read in the order of its tensors.
  const rearranged: ByteSource = {
    size: source.size,
    async read(from, length) {
      loaded ??= load();
      return (await loaded).subarray(from - offset, from - offset + length);
    },
  };
  return { ...product, b: { ...product.b, source: rearranged } };
}
