/**
 * The number type of a metadata key in GGUF. `Metadata` holds plain numbers, but llama.cpp requires the right type: some
 * keys are f32, nearly all others u32 (llama.cpp, gguf-py/gguf/gguf_writer.py).
 * @module
 */
import type { GgufNumberType } from "./header-bytes.ts";

/** Ends of the keys whose value is f32 even if it is a whole number, such as `llama.rope.freq_base` 10000. */
const floatKeys =
  /[._](epsilon|freq_base|freq_base_swa|scale|scale_linear|alpha|factor|softcapping|multiplier|beta_fast|beta_slow|max_alibi_bias|clamp_kqv)$/;
const floatSampling =
  /^general\.sampling\.(temp|top_p|min_p|xtc_probability|xtc_threshold|penalty_repeat|mirostat_tau|mirostat_eta)$/;
const signedSampling = /^general\.sampling\.(top_k|penalty_last_n|mirostat)$/;

/** The keys of a shard (llama.cpp, tools/gguf-split). */
const splitKeys: ReadonlyMap<string, GgufNumberType> = new Map([
  ["split.no", "U16"],
  ["split.count", "U16"],
  ["split.tensors.count", "I32"],
]);

/** The type in which `value` is written: that of the key if it has one, else u32, or a wider type if u32 does not hold it. */
export function numberType(key: string, value: number): GgufNumberType {
  const split = splitKeys.get(key);
  if (split !== undefined) return split;
  if (floatKeys.test(key) || floatSampling.test(key)) return "F32";
  if (signedSampling.test(key)) return "I32";
  if (!Number.isInteger(value)) return Math.fround(value) === value ? "F32" : "F64";
  if (value < 0) return value >= -(2 ** 31) ? "I32" : "I64";
  return value < 2 ** 32 ? "U32" : "U64";
}
