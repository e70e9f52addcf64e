/**
 * BERT in double precision, one loop per formula (Devlin et al. 2019), for a folder's F32 weights: the truth of tests that
 * have no recorded one.
 */
import type { TensorInfo } from "../../src/formats/checkpoint.ts";

type Matrix = number[][];

export interface BertReference {
  /** The states of every token after the last layer. */
  states(ids: readonly number[], types?: readonly number[]): Matrix;
  /** A vector or the rows of a matrix, by its GGUF name. */
  tensor(name: string): Float32Array;
}

/** @param tensors F32 tensors under GGUF's names */
export async function bertReference(tensors: ReadonlyMap<string, TensorInfo>, heads: number): Promise<BertReference> {
  const values = new Map<string, Float32Array>();
  for (const [name, { source, offset, byteLength }] of tensors) {
    const bytes = await source.read(offset, byteLength);
    values.set(name, new Float32Array(bytes.slice().buffer));
  }
  const tensor = (name: string): Float32Array => values.get(name)!;
  const row = (name: string, index: number, width: number): number[] =>
    Array.from(tensor(name).subarray(index * width, (index + 1) * width));
  const width = tensor("token_embd_norm.weight").length;
  const linear = (x: number[], name: string): number[] => {
    const [w, b] = [tensor(`${name}.weight`), tensor(`${name}.bias`)];
    return Array.from(b, (bias, o) => x.reduce((sum, value, i) => sum + value * w[o * x.length + i]!, bias));
  };
  const norm = (x: number[], name: string): number[] => {
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
    const [w, b] = [tensor(`${name}.weight`), tensor(`${name}.bias`)];
    return x.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-12)) * w[i]! + b[i]!);
  };
  const plus = (a: number[], b: number[]): number[] => a.map((value, i) => value + b[i]!);

  function attention(h: Matrix, layer: string): Matrix {
    const [q, k, v] = ["attn_q", "attn_k", "attn_v"].map((name) => h.map((x) => linear(x, `${layer}.${name}`))) as [
      Matrix,
      Matrix,
      Matrix,
    ];
    const size = width / heads;
    return q.map((query) =>
      query.map((_, i) => {
        const first = Math.floor(i / size) * size;
        const scores = k.map((key) => {
          let sum = 0;
          for (let d = first; d < first + size; d++) sum += query[d]! * key[d]!;
          return Math.exp(sum / Math.sqrt(size));
        });
        const total = scores.reduce((sum, score) => sum + score, 0);
        return scores.reduce((sum, score, t) => sum + (score / total) * v[t]![i]!, 0);
      }),
    );
  }

  return {
    tensor,
    states(ids, types = []) {
      let h = ids.map((id, position) => {
        const parts = [row("token_embd.weight", id, width), row("position_embd.weight", position, width)];
        return norm(
          plus(plus(parts[0]!, parts[1]!), row("token_types.weight", types[position] ?? 0, width)),
          "token_embd_norm",
        );
      });
      for (let i = 0; tensors.has(`blk.${i}.attn_q.weight`); i++) {
        const layer = `blk.${i}`;
        const a = attention(h, layer).map((x) => linear(x, `${layer}.attn_output`));
        const n = h.map((x, t) => norm(plus(x, a[t]!), `${layer}.attn_output_norm`));
        h = n.map((x) => {
          const inner = linear(x, `${layer}.ffn_up`).map((value) => (value / 2) * (1 + erf(value / Math.SQRT2)));
          return norm(plus(x, linear(inner, `${layer}.ffn_down`)), `${layer}.layer_output_norm`);
        });
      }
      return h;
    },
  };
}

/** The error function by its Taylor series; the values here are small. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
