/**
 * Rows of the registry for the small models of 2024 to 2026 that MobileLLM-R1's card does not compare. `registry.ts` says what
 * a row states and how to add one.
 * @module
 */
import { folderModel, type KnownModel, type PinnedFile } from "./known-model.ts";

/** A GGUF file of a repository of the hub. */
function quantized(
  name: string,
  repository: string,
  facts: Pick<KnownModel, "title" | "parameters" | "licence"> & { quant?: string; pinned?: PinnedFile },
): KnownModel {
  return { name, repository, quant: "Q4_K_M", ...facts };
}

export const NEWER_MODELS: readonly KnownModel[] = [
  quantized("granite4:350m", "ibm-granite/granite-4.0-350m-GGUF", {
    title: "granite-4.0-350m",
    parameters: 352,
    licence: "Apache-2.0",
    pinned: {
      name: "granite-4.0-350m-Q4_K_M.gguf",
      bytes: 236_985_760,
      sha256: "771c588a49607f274a2bba3185733607ebe6f74b996ab90e2d6bee0d98bcec52",
      revision: "b8208a86a58427e1739265318028eb5895b74bf2",
    },
  }),
  quantized("granite4:1b", "ibm-granite/granite-4.0-1b-GGUF", {
    title: "granite-4.0-1b",
    parameters: 1600,
    licence: "Apache-2.0",
  }),
  quantized("granite3.3:2b", "ibm-granite/granite-3.3-2b-instruct-GGUF", {
    title: "granite-3.3-2b-instruct",
    parameters: 2533,
    licence: "Apache-2.0",
  }),
  quantized("smollm3:3b", "ggml-org/SmolLM3-3B-GGUF", {
    title: "SmolLM3-3B",
    parameters: 3075,
    licence: "Apache-2.0",
    pinned: {
      name: "SmolLM3-Q4_K_M.gguf",
      bytes: 1_915_305_312,
      sha256: "8334b850b7bd46238c16b0c550df2138f0889bf433809008cc17a8b05761863e",
      revision: "4965cb60b150737b68a0408c36aeefb65078f894",
    },
  }),
  quantized("ernie4.5:0.3b", "unsloth/ERNIE-4.5-0.3B-PT-GGUF", {
    title: "ERNIE-4.5-0.3B-PT",
    parameters: 361,
    licence: "Apache-2.0",
  }),
  quantized("hunyuan:0.5b", "bartowski/tencent_Hunyuan-0.5B-Instruct-GGUF", {
    title: "Hunyuan-0.5B-Instruct",
    parameters: 539,
    licence: "tencent-hunyuan-community",
  }),
  quantized("minicpm5:1b", "openbmb/MiniCPM5-1B-GGUF", {
    title: "MiniCPM5-1B",
    parameters: 1081,
    licence: "Apache-2.0",
  }),
  quantized("falcon3:1b", "bartowski/Falcon3-1B-Instruct-GGUF", {
    title: "Falcon3-1B-Instruct",
    parameters: 1669,
    licence: "falcon-llm-license",
  }),
  quantized("gemma2:2b", "bartowski/gemma-2-2b-it-GGUF", {
    title: "gemma-2-2b-it",
    parameters: 2614,
    licence: "gemma",
  }),
  quantized("ministral3:3b", "mistralai/Ministral-3-3B-Instruct-2512-GGUF", {
    title: "Ministral-3-3B-Instruct-2512",
    parameters: 3429,
    licence: "Apache-2.0",
  }),
  quantized("lfm2:350m", "LiquidAI/LFM2-350M-GGUF", {
    title: "LFM2-350M",
    parameters: 354,
    licence: "lfm1.0",
    pinned: {
      name: "LFM2-350M-Q4_K_M.gguf",
      bytes: 229_309_376,
      sha256: "a4d000c7064bd3b2e42c6845836286a899a4e79cf1791da1a6797b58d575957d",
      revision: "8fdc9d526b7ed346b19257551b05816c7912ecc2",
    },
  }),
  quantized("lfm2:700m", "LiquidAI/LFM2-700M-GGUF", { title: "LFM2-700M", parameters: 742, licence: "lfm1.0" }),
  quantized("lfm2:1.2b", "LiquidAI/LFM2-1.2B-GGUF", { title: "LFM2-1.2B", parameters: 1170, licence: "lfm1.0" }),
  quantized("lfm2.5:350m", "LiquidAI/LFM2.5-350M-GGUF", { title: "LFM2.5-350M", parameters: 354, licence: "lfm1.0" }),
  quantized("lfm2.5:1.2b", "LiquidAI/LFM2.5-1.2B-Instruct-GGUF", {
    title: "LFM2.5-1.2B-Instruct",
    parameters: 1170,
    licence: "lfm1.0",
  }),
  quantized("qwen3.5:0.8b", "unsloth/Qwen3.5-0.8B-GGUF", {
    title: "Qwen3.5-0.8B",
    parameters: 800,
    licence: "Apache-2.0",
  }),
  quantized("qwen3-embedding:0.6b", "Qwen/Qwen3-Embedding-0.6B-GGUF", {
    title: "Qwen3-Embedding-0.6B",
    parameters: 596,
    licence: "Apache-2.0",
    quant: "Q8_0",
  }),
  quantized("qwen3-reranker:0.6b", "ggml-org/Qwen3-Reranker-0.6B-Q8_0-GGUF", {
    title: "Qwen3-Reranker-0.6B",
    parameters: 596,
    licence: "Apache-2.0",
    quant: "Q8_0",
  }),
  quantized("embeddinggemma:300m", "ggml-org/embeddinggemma-300M-GGUF", {
    title: "embeddinggemma-300m",
    parameters: 303,
    licence: "gemma",
    quant: "Q8_0",
  }),
  folderModel("all-minilm:22m", "sentence-transformers/all-MiniLM-L6-v2", 23, "Apache-2.0"),
  folderModel("multilingual-e5:118m", "intfloat/multilingual-e5-small", 118, "MIT"),
  folderModel("bge-reranker-v2-m3:568m", "BAAI/bge-reranker-v2-m3", 568, "Apache-2.0"),
];
