/**
 * Low-rank adapters (LoRA, Hu et al. 2021): beside a product W x, scale B (A x). From GGUF, as llama.cpp's
 * convert_lora_to_gguf.py writes them, and from PEFT's folders, under the names of the model they are for.
 * @module
 */
import { readGgufAdapter } from "./lora-gguf.ts";
import { readPeftAdapter } from "./lora-peft.ts";
import type { Adapter, LowRank } from "./lora-products.ts";
import { headRows, interleaveHalves, separateHalves } from "./permute.ts";
import { readExactly } from "./sources.ts";
import { rowBytes } from "./tensor-types.ts";
import type { ByteSource, Checkpoint, FileSet } from "./types.ts";

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
  let bytes: Promise<Uint8Array> | undefined;
  const rearranged: ByteSource = {
    size: byteLength,
    async read(from, length) {
      bytes ??= readExactly(source, offset, byteLength).then((raw) => rearrange(raw, rows, rowBytes(type, shape[1]!)));
      return (await bytes).subarray(from, from + length);
    },
  };
  return { ...product, b: { ...product.b, source: rearranged, offset: 0 } };
}
