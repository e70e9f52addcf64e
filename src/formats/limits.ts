/**
 * Limits of what a file may hold. Each is checked before memory is allocated, so a tiny file cannot cause a large
 * allocation or a long loop. Each is well above what every public model known to us needs.
 * @module
 */

/** The largest values that the readers accept. */
export interface FormatLimits {
  /** Key-value pairs of a GGUF file. Real files have 20 to 60. */
  readonly keyValues: number;
  /** Tensors of a file. A 32-layer dense model has about 300, a large mixture of experts a few thousand. */
  readonly tensors: number;
  /** Bytes of a GGUF key; the specification has the same limit. */
  readonly keyBytes: number;
  /** Bytes of a GGUF tensor name. ggml has room for 63 and a terminator. */
  readonly nameBytes: number;
  /** Bytes of one string. The longest in use are chat templates, of up to about 100 KB. */
  readonly stringBytes: number;
  /** Elements of a metadata array. The longest in use are vocabularies and merges, up to 600,000. */
  readonly arrayLength: number;
  /** Bytes of a whole GGUF header. A vocabulary of 262,144 tokens takes about 16 MB. */
  readonly headerBytes: number;
  /** Bytes of a header fetched by the first read. Every further read fetches twice as many, up to 1 MiB. */
  readonly windowBytes: number;
  /** Dimensions of a tensor. ggml has 4. */
  readonly dimensions: number;
  /** Largest `general.alignment`. The default is 32, and pages of memory have at most 65,536 bytes. */
  readonly alignment: number;
  /** Layers of a model. The deepest public dense models have 126. */
  readonly layers: number;
  /** Shards of one model. */
  readonly shards: number;
  /** Bytes of a safetensors header. The format allows 100,000,000; a 10,000-tensor model needs about 1 MB. */
  readonly safetensorsHeaderBytes: number;
  /** Bytes of config.json, generation_config.json, tokenizer_config.json and chat_template.jinja each (the largest seen: 1.2 MB). */
  readonly configBytes: number;
  /** Bytes of tokenizer.json. Gemma 3's is 33 MB. */
  readonly tokenizerBytes: number;
}

const MiB = 1024 * 1024;

export const defaultLimits: FormatLimits = {
  keyValues: 65_536,
  tensors: 65_536,
  keyBytes: 65_535,
  nameBytes: 63,
  stringBytes: 16 * MiB,
  arrayLength: 4_000_000,
  headerBytes: 64 * MiB,
  windowBytes: 64 * 1024,
  dimensions: 4,
  alignment: 65_536,
  layers: 1_024,
  shards: 1_024,
  safetensorsHeaderBytes: 32 * MiB,
  configBytes: 4 * MiB,
  tokenizerBytes: 64 * MiB,
};
