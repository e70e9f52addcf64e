/**
 * BERT (Devlin et al. 2019; transformers, bert/modeling_bert.py), such as MiniLM, bge-small and e5: an encoder. Each token
 * attends to all tokens; positions and token types are learned embeddings; norms are LayerNorms behind each branch; products
 * have biases; the feed-forward layer has no gate, and its activation is GELU with erf.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getBoolean, getNumber } from "../formats/typed-values.ts";
import {
  type Architecture,
  DecoderKeys,
  LIMITS,
  type ModelConfig,
  projectAttention,
  projectOutput,
  readHeads,
  readVocabSize,
} from "./decoder.ts";
import { embeddingHead, type HeadConfig, readHeadConfig } from "./embedding-head.ts";

interface BertConfig extends ModelConfig {
  readonly ffn: number;
  readonly vocabSize: number;
  /** Rows of the table of token types; 0 where there is none. */
  readonly types: number;
  /** The number that LayerNorm adds to the variance. */
  readonly eps: number;
  readonly head: HeadConfig;
}

async function readConfig(checkpoint: Checkpoint): Promise<BertConfig> {
  const { metadata, tensors } = checkpoint;
  const keys = new DecoderKeys(checkpoint);
  const hidden = keys.count("embedding_length", LIMITS.hidden);
  if (getBoolean(metadata, "bert.attention.causal", { default: false }))
    throw new NibbleError(
      "unsupported_architecture",
      "bert.attention.causal: true is not supported; BERT is an encoder",
    );
  return {
    layers: keys.layers,
    hidden,
    ...readHeads(keys, hidden),
    ffn: keys.sameInAllLayers("feed_forward_length", LIMITS.ffn),
    vocabSize: readVocabSize(checkpoint),
    contextLength: keys.count("context_length", LIMITS.context),
    types: tensors.get("token_types.weight")?.shape[0] ?? 0,
    eps: getNumber(metadata, "bert.attention.layer_norm_epsilon", { min: 0, max: 1 }),
    head: readHeadConfig(checkpoint),
    bidirectional: true,
  };
}

export const bert: Architecture<BertConfig> = {
  name: "bert",
  readConfig,

  build(b, c) {
    const { hidden, eps } = c;
    let h = b.embed("token_embd.weight", c.vocabSize, hidden);
    h = b.add(h, b.embed("position_embd.weight", c.contextLength, hidden, "position"));
    if (c.types > 0) h = b.add(h, b.embed("token_types.weight", c.types, hidden, "type"));
    h = b.layerNorm(h, "token_embd_norm", eps);
    for (let i = 0; i < c.layers; i++) {
      const layer = `blk.${i}`;
      const p = projectAttention(b, c, i, { h, x: h });
      const place = b.kvStore(p.k, p.v, c.headDim);
      const o = b.attention(p.q, place, 1 / Math.sqrt(c.headDim), { bidirectional: true });
      const n = b.layerNorm(b.add(p.h, projectOutput(b, c, i, o)), `${layer}.attn_output_norm`, eps);
      const inner = b.geluErf(b.bias(b.matmul(n, `${layer}.ffn_up.weight`, c.ffn), `${layer}.ffn_up.bias`));
      const f = b.bias(b.matmul(inner, `${layer}.ffn_down.weight`, hidden), `${layer}.ffn_down.bias`);
      h = b.layerNorm(b.add(n, f), `${layer}.layer_output_norm`, eps);
    }
    return embeddingHead(b, h, c.head);
  },
};
