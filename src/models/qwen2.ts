/**
 * Qwen 2 and 2.5 (Qwen Team 2024; transformers, qwen2/modeling_qwen2.py): Llama with biases for queries, keys and values.
 * Later layers may attend to a sliding window.
 * DeepSeek-R1-Distill-Qwen and OpenReasoning-Nemotron are of this architecture.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { type Architecture, readConfigOfEither } from "./decoder.ts";
import { type LlamaConfig, llama } from "./llama.ts";
import { readListedWindows } from "./windows.ts";

export const qwen2: Architecture<LlamaConfig> = {
  name: "qwen2",

  async readConfig(checkpoint) {
    const config = await readConfigOfEither(checkpoint, false);
    return { ...config, windows: readListedWindows(checkpoint, config) };
  },

  build(b, c) {
    for (let i = 0; i < c.layers; i++)
      for (const name of ["attn_q", "attn_k", "attn_v"])
        if (!b.has(`blk.${i}.${name}.bias`))
          throw new NibbleError("missing_tensor", `the file has no tensor blk.${i}.${name}.bias`);
    return llama.build(b, c);
  },
};
