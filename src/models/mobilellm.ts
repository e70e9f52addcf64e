/**
 * The first MobileLLM (Liu et al. 2024, arXiv:2402.14905; facebookresearch/MobileLLM, utils/modeling_llama.py): Llama, whose
 * layers may be shared: each of them then runs twice before the next. The weights are the same, and each run has keys and
 * values of its own.
 *
 * llama.cpp does not have this architecture. Its GGUF files are ours, with the keys and names of `llama`, and q and k rows in
 * the order of Hugging Face.
 * @module
 */
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getNumber } from "../formats/typed-values.ts";
import {
  type Architecture,
  type DecoderConfig,
  gatedFeedForward,
  lmHead,
  projectAttention,
  projectOutput,
  readDecoderConfig,
} from "./decoder.ts";

interface MobileLLMConfig extends DecoderConfig {
  /** How often each layer runs. */
  readonly repeats: number;
}

async function readConfig(checkpoint: Checkpoint): Promise<MobileLLMConfig> {
  return {
    ...(await readDecoderConfig(checkpoint, false)),
    repeats: getNumber(checkpoint.metadata, "mobilellm.layer_repeat_count", {
      default: 1,
      integer: true,
      min: 1,
      max: 16,
    }),
  };
}

export const mobilellm: Architecture<MobileLLMConfig> = {
  name: "mobilellm",
  readConfig,

  build(b, c) {
    const table = b.ropeTable(c.frequencies, c.interleaved, c.ropeFactor);
    let h = b.embed("token_embd.weight", c.vocabSize, c.hidden);
    for (let run = 0; run < c.layers * c.repeats; run++) {
      const i = Math.floor(run / c.repeats);
      const last = run === c.layers * c.repeats - 1;
      const x = b.rmsNorm(h, `blk.${i}.attn_norm.weight`, c.eps);
      const p = projectAttention(b, c, i, { h, x, last });
      const layer = b.kvStore(b.rope(p.k, c.headDim, table), p.v, c.headDim);
      const o = b.attention(b.rope(p.q, c.headDim, table), layer, c.attentionScale);
      h = b.add(p.h, projectOutput(b, c, i, o));
      h = b.add(h, gatedFeedForward(b, c, i, b.rmsNorm(h, `blk.${i}.ffn_norm.weight`, c.eps)));
    }
    return lmHead(b, c, h);
  },
};
