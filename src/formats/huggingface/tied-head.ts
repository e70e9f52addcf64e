/**
 * The LM head of a model with tied embeddings.
 * @module
 */
import { readExactly } from "../../io/byte-source.ts";
import type { TensorInfo } from "../checkpoint.ts";

/**
 * Deletes a head that is a copy of the embedding table, which saves its memory. Qwen3-0.6B has such a copy of 311 MB. A
 * head with other values stays, as in transformers, whatever `tie_word_embeddings` says.
 *
 * Only reading both tensors tells a copy. A different head differs in the first block as a rule, which ends the reading.
 */
export async function deleteCopiedHead(tensors: Map<string, TensorInfo>): Promise<void> {
  const head = tensors.get("output.weight");
  const table = tensors.get("token_embd.weight");
  if (head && table && (await areEqual(head, table))) tensors.delete("output.weight");
}

const BLOCK = 2 ** 22;

async function areEqual(a: TensorInfo, b: TensorInfo): Promise<boolean> {
  if (a.type !== b.type || a.byteLength !== b.byteLength) return false;
  for (let at = 0; at < a.byteLength; at += BLOCK) {
    const length = Math.min(BLOCK, a.byteLength - at);
    const [left, right] = await Promise.all([
      readExactly(a.source, a.offset + at, length),
      readExactly(b.source, b.offset + at, length),
    ]);
    if (!left.every((byte, i) => byte === right[i])) return false;
  }
  return true;
}
