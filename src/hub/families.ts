/**
 * What the families of the registry are good for, for `nibble ls --all`.
 * @module
 */
import { KNOWN_MODELS, type KnownModel } from "./registry.ts";

/** By the part of a name before the colon, without `-base`. */
const GOOD_FOR: Readonly<Record<string, string>> = {
  crumb: "a demonstration: arithmetic with reasoning, inside this package",
  "mobilellm-r1": "reasoning about mathematics and code; not for commercial use",
  smollm2: "chat and rewriting in English, the smallest with a free licence",
  gemma3: "chat in many languages; a good base to fine-tune",
  "qwen2.5": "chat in many languages, JSON and tools",
  qwen3: "reasoning that can be switched off, many languages, tools",
  "llama3.2": "chat and summaries",
  olmo2: "research: data and training are public",
  "deepseek-r1-distill-qwen": "reasoning about mathematics",
  "openreasoning-nemotron": "reasoning about mathematics, code and science",
  granite4: "tools and JSON, with a free licence",
  "granite3.3": "tools, JSON and answers from documents",
  smollm3: "reasoning that can be switched off, six languages, long contexts",
  "ernie4.5": "Chinese and English",
  hunyuan: "Chinese and English, with reasoning",
  minicpm5: "reasoning that can be switched off, tools; Chinese and English",
  falcon3: "mathematics and science; English, French, Spanish, Portuguese",
  gemma2: "chat in English",
  ministral3: "chat in many languages, tools, long contexts",
  lfm2: "quick answers on small devices: most layers are convolutions",
  "lfm2.5": "quick answers on small devices, tools",
  "qwen3.5": "reasoning that can be switched off, many languages, long contexts",
  "qwen3-embedding": "embeddings: search in many languages",
  "qwen3-reranker": "reranking: which documents answer a question",
  embeddinggemma: "embeddings: search in many languages",
  "all-minilm": "embeddings: search in English, the smallest",
  "multilingual-e5": "embeddings: search in many languages, the smallest of them",
  "bge-reranker-v2-m3": "reranking in many languages",
};

/** Most bytes of a model that runs in an isolate of a Worker, which has 128 MB (measured: examples/worker/README.md). */
const WORKER_BYTES = 90e6;

export interface Family {
  readonly name: string;
  readonly goodFor: string;
  readonly models: readonly KnownModel[];
}

/** The registry by family, in its order. */
export function knownFamilies(): Family[] {
  const families = new Map<string, KnownModel[]>();
  for (const model of KNOWN_MODELS) {
    const name = model.name.split(":")[0]!.replace(/-base$/, "");
    families.set(name, [...(families.get(name) ?? []), model]);
  }
  return [...families].map(([name, models]) => ({ name, goodFor: GOOD_FOR[name] ?? "", models }));
}

/**
 * Whether a model fits in a Worker: as its file is, or in 4 bits per weight (`nibble convert --type q4_0`). Undefined if it
 * does not.
 */
export function fitsWorker({ parameters, pinned, name }: KnownModel): string | undefined {
  if (name === "crumb" || (pinned && pinned.bytes <= WORKER_BYTES)) return "fits a Worker";
  return parameters * 1e6 * (4.5 / 8) <= WORKER_BYTES ? "fits a Worker as q4_0" : undefined;
}
