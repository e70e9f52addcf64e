/**
 * The order of the value heads of gated delta nets. In a folder, neighbouring value heads share a key head; in a GGUF, value
 * heads that share a key head are as far apart as there are key heads (llama.cpp, conversion/qwen.py). Value head
 * r keyHeads + g of a GGUF is head g (valueHeads / keyHeads) + r of a folder.
 * @module
 */
import type { Checkpoint, TensorInfo } from "../src/formats/checkpoint.ts";
import { rowBytes } from "../src/formats/tensor-types.ts";
import { type ByteSource, readExactly } from "../src/io/byte-source.ts";

interface Heads {
  readonly keyHeads: number;
  readonly valueHeads: number;
}

/** A tensor as a GGUF has it: with its value heads in the other order, if the checkpoint is a folder. */
export function withTiledHeads(checkpoint: Checkpoint, info: TensorInfo): TensorInfo {
  const { architecture, format, metadata } = checkpoint;
  if (architecture !== "qwen35" || format === "gguf") return info;
  const count = (key: string): number => Number(metadata.get(`qwen35.ssm.${key}`));
  const heads = { keyHeads: count("group_count"), valueHeads: count("time_step_rank") };
  const valueDim = count("inner_size") / heads.valueHeads;
  const [, part] = /^blk\.\d+\.(.+?)(?:\.weight|\.bias)?$/.exec(info.name) ?? [];
  const columns = info.shape.length === 1 ? 1 : info.shape.at(-1)!;
  const row = rowBytes(info.type, columns);
  if (part === "ssm_out") return reordered(info, heads, { start: 0, block: row / heads.valueHeads });
  if (part === "attn_gate") return reordered(info, heads, { start: 0, block: valueDim * row });
  if (part === "ssm_alpha" || part === "ssm_beta" || part === "ssm_a" || part === "ssm_dt")
    return reordered(info, heads, { start: 0, block: row });
  if (part !== "attn_qkv" && part !== "ssm_conv1d") return info;
  const start = 2 * heads.keyHeads * count("state_size") * row; // queries and keys come before the values
  return reordered(info, heads, { start, block: valueDim * row });
}

/** Exchanges blocks of bytes from `start` on, a block per value head, as often as the heads follow each other. */
function reordered(
  info: TensorInfo,
  { keyHeads, valueHeads }: Heads,
  { start, block }: { readonly start: number; readonly block: number },
): TensorInfo {
  if (keyHeads === valueHeads) return info;
  const period = valueHeads * block;
  const from = (head: number): number => (head % keyHeads) * (valueHeads / keyHeads) + Math.floor(head / keyHeads);
  const source: ByteSource = {
    size: info.byteLength,
    async read(offset, length) {
      const end = offset + length;
      // Whole periods, in which the blocks are then exchanged.
      const first = start + Math.floor(Math.max(0, offset - start) / period) * period;
      const last = Math.min(info.byteLength, start + Math.ceil(Math.max(0, end - start) / period) * period);
      const begin = offset < start ? offset : first;
      const stop = Math.max(end, last);
      const bytes = await readExactly(info.source, info.offset + begin, stop - begin);
      const result = bytes.slice();
      for (let at = first; at + period <= last; at += period) {
        for (let head = 0; head < valueHeads; head++) {
          const source = at - begin + from(head) * block;
          result.set(bytes.subarray(source, source + block), at - begin + head * block);
        }
      }
      return result.subarray(offset - begin, end - begin);
    },
  };
  return { ...info, source, offset: 0 };
}
