/**
 * The checkpoint that the readers return and the loader takes: checked facts about a model, and where its bytes lie.
 * @module
 */
import type { JsonObject } from "../base/json.ts";
import type { ByteRange, ByteSource } from "../io/byte-source.ts";
import type { TensorType } from "./tensor-types.ts";

/** One tensor of a checkpoint. All offsets are checked to lie inside `source`. */
export interface TensorInfo {
  /** Canonical (GGUF) name, such as `blk.0.attn_q.weight`. */
  readonly name: string;
  /** How its values are stored. */
  readonly type: TensorType;
  /** Row-major, outermost first: a matrix is `[rows (out), columns (in)]`. GGUF stores the reverse. */
  readonly shape: readonly number[];
  /** The file that holds its bytes. */
  readonly source: ByteSource;
  /** Absolute offset in `source`, in bytes. */
  readonly offset: number;
  /** Length in bytes. */
  readonly byteLength: number;
}

/** A GGUF metadata value. 64-bit integers are numbers when safe (<= 2^53 - 1), else the file is refused. */
export type MetadataValue = number | string | boolean | readonly string[] | NumericArray | readonly boolean[];
/** An array of numbers as GGUF types it; 64-bit integers are in a Float64Array. */
export type NumericArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;
/** Keys as in GGUF (`general.architecture`, `llama.block_count`, `tokenizer.ggml.tokens`, ...). */
export type Metadata = ReadonlyMap<string, MetadataValue>;

/**
 * A model as it lies on disk, in either container: metadata under GGUF's keys, tensors under GGUF's names.
 * A Hugging Face folder is translated to the same keys and names by `huggingface/folder.ts`.
 */
export interface Checkpoint {
  /** The container. */
  readonly format: "gguf" | "huggingface";
  /** `general.architecture`: "llama4", "llama", ... */
  readonly architecture: string;
  /** Hyper-parameters, vocabulary and all other facts but the tensors. */
  readonly metadata: Metadata;
  /**
   * GGUF only: where each value lies as the file encodes it, its type in front. `metadata` holds plain numbers; a copy
   * of these bytes keeps their types.
   */
  readonly encodedMetadata?: ReadonlyMap<string, ByteRange>;
  /** By name, in the order of the files. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** True where q and k rows are permuted for interleaved RoPE (GGUF files of architecture `llama`). */
  readonly permutedQK: boolean;
  /** Hugging Face only: parsed tokenizer.json, tokenizer_config.json and chat template, for `src/tokenizer` and `src/chat`. */
  readonly huggingFace?: HuggingFaceFiles;
  /** Bytes that were read for the header, for progress and tests. */
  readonly headerBytes: number;
  /** Closes the files. The tensors cannot be read afterwards. */
  close(): Promise<void>;
}

/** The text files of a Hugging Face folder, parsed. Optional files that are missing are undefined. */
export interface HuggingFaceFiles {
  /** config.json. */
  readonly config: JsonObject;
  /** tokenizer.json. Without it, the metadata has the keys of tokenizer.model. */
  readonly tokenizer: JsonObject | undefined;
  /** tokenizer_config.json. */
  readonly tokenizerConfig: JsonObject | undefined;
  /** generation_config.json. */
  readonly generationConfig: JsonObject | undefined;
  /**
   * Jinja sources by name; a template without a name is "default". They are chat_template.jinja and
   * additional_chat_templates/NAME.jinja if there are such files, else `chat_template` of tokenizer_config.json.
   */
  readonly chatTemplates: ReadonlyMap<string, string>;
}
