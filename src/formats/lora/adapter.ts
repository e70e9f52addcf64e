/**
 * Low-rank adapters (LoRA, Hu et al. 2021, arXiv:2106.09685), which add scale B (A x) to a product W x. They are read from
 * GGUF, as llama.cpp's convert_lora_to_gguf.py writes it, and from PEFT's folders, under the names of the model's tensors.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { ByteSource, FileSet } from "../../io/byte-source.ts";
import { readInto } from "../../io/byte-source.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { headRows, interleaveHalves, separateHalves } from "../permute.ts";
import { rowBytes } from "../tensor-types.ts";
import { readGgufAdapter } from "./gguf.ts";
import { readPeftAdapter } from "./peft.ts";
import type { Adapter, LowRank } from "./products.ts";

/**
 * Reads and checks an adapter's header. Whether its matrices fit the model's is checked later, by the program builder.
 * The files stay open until the adapter's `close`; after an error they are closed.
 * @param base the model that the adapter is for
 * @throws NibbleError with a format code
 */
export async function readAdapter(
  opened: { readonly file: ByteSource } | { readonly files: FileSet },
  base: Checkpoint,
): Promise<Adapter> {
  const adapter =
    "file" in opened ? await readGgufAdapter(opened.file, base) : await readPeftAdapter(opened.files, base);
  try {
    if ("file" in opened !== (base.format === "gguf")) refuseValueHeads(base, adapter);
    if (adapter.permutedQK === base.permutedQK) return adapter;
    const products = new Map<string, LowRank>();
    for (const [name, product] of adapter.products) products.set(name, inOrderOf(base, name, product));
    return { products, close: adapter.close };
  } catch (error) {
    await adapter.close();
    throw error;
  }
}

/** Matrices of a gated delta net whose rows or columns are value heads. */
const VALUE_HEADS = /^blk\.\d+\.(attn_qkv|attn_gate|ssm_(alpha|beta|out))\.weight$/;

/** Folders and GGUF files have the value heads of gated delta nets in different orders, where they share key heads. */
function refuseValueHeads({ architecture, metadata }: Checkpoint, { products }: Adapter): void {
  if (architecture !== "qwen35") return;
  if (metadata.get("qwen35.ssm.group_count") === metadata.get("qwen35.ssm.time_step_rank")) return;
  const name = [...products.keys()].find((each) => VALUE_HEADS.test(each));
  if (name === undefined) return;
  throw new NibbleError(
    "unsupported_architecture",
    `adapter of ${name}: its value heads are in another order than the model's; an adapter in the model's own format is supported`,
  );
}

/** The product, with the q or k rows of B in the model's order. */
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
  // The offset stays the same, because a stream is read in the order of its tensors.
  const rearranged: ByteSource = {
    size: source.size,
    async read(from, length) {
      loaded ??= load();
      return (await loaded).subarray(from - offset, from - offset + length);
    },
  };
  return { ...product, b: { ...product.b, source: rearranged } };
}
