/**
 * A model that no browser can run: more than 4 GiB of weights, in a sparse file that holds only the header.
 * @module
 */
import { openSync, truncateSync, writeSync } from "node:fs";
import type { TensorInfo } from "../../../src/formats/checkpoint.ts";
import { writeGguf } from "../../../weights-tools/gguf/writer.ts";
import { openFixture } from "../../helpers/models.ts";

const FFN = 2 ** 20;
const LAYERS = 4;

/** Writes the fixture `llama` with a much wider feed-forward network, as a sparse file. */
export async function writeLargeHeader(path: string): Promise<void> {
  const { metadata, tensors, close } = await openFixture("llama", "gguf");
  await close();
  const facts = new Map(metadata);
  facts.set("llama.feed_forward_length", FFN).set("llama.block_count", LAYERS);
  const wide = ({ name, type, shape }: TensorInfo) => {
    if (/ffn_(gate|up)\./.test(name)) return { name, type, shape: [FFN, shape[1]!] };
    return { name, type, shape: /ffn_down\./.test(name) ? [shape[0]!, FFN] : shape };
  };
  const all = [...tensors.values()].flatMap((tensor) => {
    const found = /^blk\.(\d+)\.(.*)/.exec(tensor.name);
    if (!found) return [wide(tensor)];
    if (found[1] !== "0") return [];
    return Array.from({ length: LAYERS }, (_, i) => ({ ...wide(tensor), name: `blk.${i}.${found[2]}` }));
  });
  const file = openSync(path, "w");
  let header = true;
  const sink = {
    async write(bytes: Uint8Array) {
      if (header) writeSync(file, bytes);
      header = false;
    },
  };
  const zeros = new Uint8Array(2 ** 26);
  const total = await writeGguf(sink, facts, all, async function* ({ type, shape }) {
    let left = shape.reduce((product, length) => product * length, type === "F32" ? 4 : 2);
    for (; left > 0; left -= zeros.length) yield zeros.subarray(0, Math.min(left, zeros.length));
  });
  truncateSync(path, total);
}
