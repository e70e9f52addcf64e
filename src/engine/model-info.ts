/**
 * What is told about a loaded model.
 * @module
 */
import type { MemoryPlan } from "../runtime/memory-plan.ts";
import type { EmbeddingFacts } from "./generate/embedding-facts.ts";
import type { LoraInfo } from "./request/lora.ts";
import type { SamplingDefaults } from "./sample/defaults.ts";

/** Facts about a loaded model. */
export interface ModelInfo extends LoadFacts {
  /** The name that answers carry. */
  readonly name: string;
  /** `general.architecture`, such as "llama4". */
  readonly architecture: string;
  /** Most tokens of a prompt and its answer together. */
  readonly contextLength: number;
  /** Number of tokens in the vocabulary. */
  readonly vocabSize: number;
  /** Width of an embedding. */
  readonly hiddenSize: number;
  /** What the model's files say about embeddings; `prompts` are texts to put in front, by name. */
  readonly embedding: Omit<EmbeddingFacts, "prompts"> & { readonly prompts: Readonly<Record<string, string>> };
  /** The origin of the chat template; with "none" only completions work. */
  readonly chatTemplate: "model" | "fallback" | "none";
  /** The sampling settings of a request that sets none. */
  readonly sampling: SamplingDefaults;
  /** Low-rank adapters that requests may choose. */
  readonly lora: readonly LoraInfo[];
  /** Tokens that end an answer. */
  readonly endIds: readonly number[];
  /** Whether the model has the tokens to fill a gap in a text (`infillPrompt`, and `suffix` of completions). */
  readonly infill: boolean;
}

/** Facts about the files of a model. */
export interface FileFacts {
  /** The kind of the files. */
  readonly format: "gguf" | "huggingface";
  /** Bytes of the tensors. */
  readonly bytes: number;
  /** How many numbers the tensors have. */
  readonly parameters: number;
  /** The type that most of these are stored as, such as "Q4_K". */
  readonly quantization: string;
}

/** What is known about a model when it was loaded from its files. */
export interface LoadFacts extends FileFacts {
  /** The texts of the tokens that a chat template may put around a conversation, where there are such tokens. */
  readonly bosToken?: string | undefined;
  /** See `bosToken`. */
  readonly eosToken?: string | undefined;
  /** The source of the chat template, where the model has one. */
  readonly template?: string | undefined;
  /** Bytes of each part of the memory, and of all. */
  readonly memory: MemoryPlan;
  /** Threads that compute. */
  readonly threads: number;
  /** Whether the kernels run on vectors of 256 bits (`revectorize`). */
  readonly revectorized: boolean;
  /** The draft model, where there is one. */
  readonly draft?: DraftFacts | undefined;
}

/** Facts about a draft model, in `info.draft` and in the plan. */
export interface DraftFacts {
  /** Its name: the last part of its source's name, else `general.name`. */
  readonly name: string;
  /** `general.architecture`. */
  readonly architecture: string;
  /** Most tokens of a text for which it drafts. */
  readonly contextLength: number;
  /** Threads that compute. */
  readonly threads: number;
  /** Bytes of each part of its memory, and of all. */
  readonly memory: MemoryPlan;
}
