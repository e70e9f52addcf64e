/**
 * A recorded forward pass: what the builder makes, the memory plan measures, and the executor runs.
 * @module
 */
import type { Adapter } from "../formats/lora/products.ts";
import type { KvType } from "./layout.ts";
import type { Bases, LinkOptions } from "./linker.ts";
import type { RowSet } from "./operations.ts";
import type { WeightTable } from "./weight-table.ts";

export interface ProgramOptions {
  readonly maxBatchTokens: number;
  readonly maxLogitRows: number;
  readonly kvType: KvType;
  readonly threads: number;
  /** Most tokens of one sequence, where the caller knows it. Some models have other frequencies for long contexts. */
  readonly contextLength?: number;
  /** LoRA adapters. Each batch says how strongly each of its rows takes each adapter. */
  readonly adapters?: readonly Adapter[];
}

/** Rows in the activations. */
export interface Rows {
  readonly width: number;
  /** Bytes from the beginning of the activations to the first row, and from row to row. */
  readonly offset: number;
  readonly stride: number;
}

/** The input of matmuls, as it is when `operation` begins. `WasmExecutor.forward` passes it to an observer. */
export interface MatmulInput extends Rows {
  readonly operation: number;
  /** The matrices that it is multiplied with. */
  readonly weights: readonly string[];
  readonly rows: RowSet;
}

/** Rows that a caller reads once `operations` operations have run. */
export interface Output extends Rows {
  readonly operations: number;
}

/** A recorded forward pass: its sizes are known, its addresses not yet. */
export interface Program {
  readonly operations: number;
  /** How many threads it is for. Each has a program of as many operations, which it runs for small batches. */
  readonly threads: number;
  /** Number of LoRA adapters. */
  readonly adapters: number;
  readonly weights: WeightTable;
  /** Tables of RoPE's frequencies. */
  readonly frequencies: readonly Float32Array[];
  /** The factor of each table. */
  readonly ropeFactors: readonly number[];
  /** The numbers of the operations that decide about results, such as eps, scales and windows. */
  readonly constants: Float64Array;
  readonly activationBytes: number;
  /** Bytes of a page of the key-value cache over all layers. */
  readonly pageBytes: number;
  /** Bytes of a page for each kv head of each layer, in the order in which the heads' pages lie in memory. */
  readonly headPageBytes: readonly number[];
  /** Rows of the table of token embeddings. */
  readonly vocabSize: number;
  /** Whether a token attends to those after it too. Then a text is read in one batch. */
  readonly bidirectional: boolean;
  /** Whether `logits` are what the head makes of pooled states. Otherwise they are those of the next token. */
  readonly poolsStates: boolean;
  /** Whether the model predicts the next token of a text. */
  readonly generates: boolean;
  /** Bytes of a sequence's state over all recurrent layers; 0 where there are none. */
  readonly stateBytes: number;
  /** In the order of their operations. */
  readonly inputs: readonly MatmulInput[];
  readonly logits: Output;
  /**
   * The hidden states, which embeddings are made of. The operations after them are the head: that of a language model, or
   * the layers behind the pooling of an embedding model.
   */
  readonly hidden: Output;
  /** The words that the interpreter reads (operations.ts): the programs of all threads, one after the other. */
  link(bases: Bases, options: LinkOptions): Int32Array;
}
