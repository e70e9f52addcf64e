/**
 * ERNIE 4.5 without experts (Baidu 2025; transformers, ernie4_5/modeling_ernie4_5.py): Llama whose RoPE rotates pairs
 * (2j, 2j + 1), in folders and in GGUF files, and whose heads may be wider than hidden / heads.
 * @module
 */
import { type Architecture, readDecoderConfig } from "./decoder.ts";
import { llama } from "./llama.ts";

export const ernie45: Architecture = {
  name: "ernie4_5",
  readConfig: (checkpoint) => readDecoderConfig(checkpoint, true),
  build: llama.build,
};
