/**
 * What the readers give and the loader takes: checked facts about a model, and where its bytes lie.
 * @module
 */
import type { JsonObject } from "../base/json.ts";
import type { ByteRange, ByteSource } from "../io/byte-source.ts";
import type { TensorType } from "./tensor-types.ts";

/** One tensor of a checkpoint. All offsets are checked to lie inside `source`. */
export interface TensorInfo {
  /** Canonical (GGUF) name, such as `blk.0.attn_q.weight`. */
  readonly name: string;
  readonly type: TensorType;
  /** Row-major, outermost first: a matrix is `[rows (out), columns (in)]`. GGUF stores the reverse. */
  readonly shape: readonly number[];
  readonly source: ByteSource;
  /** Absolute offset in `source`, and length in bytes. */
  readonly offset: number;
  readonly byteLength: number;
}

/** A GGUF metadata value. 64-bit integers are numbers when safe (<= 2^53 - 1), else the file is refused. */
export type MetadataValue = number | string | boolean | readonly string[] | NumericArray | readonly boolean[];
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
 * A model as it lies on disk, whatever the container: metadata under GGUF's keys, tensors under GGUF's names.
 * A Hugging Face folder is translated to the same keys and names by `huggingface/folder.ts`.
 */
export interface Checkpoint {
  readonly format: "gguf" | "huggingface";
  /** `general.architecture`: "llama4", "llama", ... */
  readonly architecture: string;
  readonly metadata: Metadata;
  /**
   * GGUF only: where each value lies as the file encodes it, its type in front. `metadata` holds plain numbers; a copy
   * of these bytes keeps their types.
   */
  readonly encodedMetadata?: ReadonlyMap<string, ByteRange>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** True where q and k rows are permuted for interleaved RoPE (GGUF files of architecture `llama`). */
  readonly permutedQK: boolean;
  /** Hugging Face only: parsed tokenizer.json, tokenizer_config.json and chat template, for `src/tokenizer` and `src/chat`. */
  readonly huggingFace?: HuggingFaceFiles;
  /** Bytes read so far to get here (header), for progress and tests. */
  readonly headerBytes: number;
  close(): Promise<void>;
}

export interface HuggingFaceFiles {
  readonly config: JsonObject;
  readonly tokenizer: JsonObject;
  readonly tokenizerConfig: JsonObject | undefined;
  readonly generationConfig: JsonObject | undefined;
  /** chat_template.jinja if there is one, else `chat_template` of tokenizer_config.json. */
  readonly chatTemplate: string | undefined;
}
