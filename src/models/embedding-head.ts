/**
 * The layers behind the pooling of an embedding model, or of a model that ranks documents.
 * @module
 */
import type { Checkpoint } from "../formats/checkpoint.ts";
import type { ProgramBuilder } from "../runtime/builder.ts";
import type { Value } from "../runtime/recording.ts";

/** The dense layers of sentence-transformers, in their order (llama.cpp's names). */
const DENSE = ["dense_2", "dense_3"] as const;

/** What follows the activation of a dense layer, where it is not the identity. */
export interface HeadConfig {
  /** The dense layers that are followed by tanh. */
  readonly tanh: ReadonlySet<string>;
}

/** Reads `nibble.NAME.activation`, for which GGUF has no key. */
export function readHeadConfig({ metadata }: Checkpoint): HeadConfig {
  return { tanh: new Set(DENSE.filter((name) => metadata.get(`nibble.${name}.activation`) === "tanh")) };
}

/** Whether the checkpoint has such layers. */
export function hasEmbeddingHead(b: ProgramBuilder): boolean {
  return [...DENSE, "cls", "cls.output"].some((name) => b.has(`${name}.weight`));
}

/**
 * Marks `h` as the states that are pooled, and describes what follows: dense layers (Reimers and Gurevych 2019), or BERT's
 * pooler tanh(W x + b) and its classifier, whose results are scores.
 */
export function embeddingHead(b: ProgramBuilder, h: Value, { tanh }: HeadConfig): Value {
  let x = b.states(h);
  const layer = (name: string): void => {
    if (!b.has(`${name}.weight`)) return;
    x = b.matmul(x, `${name}.weight`, b.rowsOf(`${name}.weight`));
    if (b.has(`${name}.bias`)) x = b.bias(x, `${name}.bias`);
  };
  for (const name of DENSE) {
    layer(name);
    if (tanh.has(name)) x = b.softcap(x, 1); // 1 tanh(x / 1)
  }
  layer("cls");
  if (b.has("cls.weight")) x = b.softcap(x, 1);
  layer("cls.output");
  return x;
}
