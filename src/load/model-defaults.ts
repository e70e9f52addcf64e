/**
 * The facts that a checkpoint states beside its weights: its name, its chat templates, and defaults for the settings of
 * requests.
 * @module
 */
import { fits } from "../base/fields.ts";
import type { NamedTemplates } from "../chat/named-templates.ts";
import type { FileFacts } from "../engine/model-info.ts";
import { SAMPLING_DEFAULTS, type SamplingDefaults } from "../engine/sample/defaults.ts";
import { type NumericSetting, SAMPLING_RANGES } from "../engine/sample/options.ts";
import type { Checkpoint, Metadata } from "../formats/checkpoint.ts";
import { type ModelSource, sourceName } from "./source.ts";

/** Most named templates of a GGUF file that are read. */
const MAX_TEMPLATES = 16;

/** The last part of a path or URL, else `general.name`, else "model". */
export function modelName(source: ModelSource, { metadata }: Checkpoint): string {
  const name = sourceName(source) ?? metadata.get("general.name");
  return typeof name === "string" ? name : "model";
}

/**
 * The chat templates by name. In a GGUF file they are `tokenizer.chat_template` (the default one) and
 * `tokenizer.chat_template.NAME`, with the names in `tokenizer.chat_templates`.
 */
export function chatTemplates({ metadata, huggingFace }: Checkpoint): NamedTemplates {
  if (huggingFace) return huggingFace.chatTemplates;
  const listed = metadata.get("tokenizer.chat_templates");
  const names = Array.isArray(listed) ? listed.slice(0, MAX_TEMPLATES) : [];
  const sources = [
    ["default", metadata.get("tokenizer.chat_template")],
    ...names.map((name) => [String(name), metadata.get(`tokenizer.chat_template.${name}`)]),
  ];
  return new Map(sources.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}

/** Facts about the files of a checkpoint. */
export function fileFacts({ format, tensors }: Checkpoint): FileFacts {
  const counts = new Map<string, number>();
  let bytes = 0;
  for (const { type, shape, byteLength } of tensors.values()) {
    counts.set(type, (counts.get(type) ?? 0) + shape.reduce((product, size) => product * size, 1));
    bytes += byteLength;
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  const parameters = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { format, bytes, parameters, quantization: most?.[0] ?? "" };
}

/**
 * llama.cpp's keys `general.sampling.*` for settings inside a GGUF file. A folder's generation_config.json comes under
 * the same keys.
 */
const SAMPLING_KEYS: readonly [setting: NumericSetting, key: string][] = [
  ["temperature", "temp"],
  ["topK", "top_k"],
  ["topP", "top_p"],
  ["minP", "min_p"],
  ["xtcProbability", "xtc_probability"],
  ["xtcThreshold", "xtc_threshold"],
  ["repeatPenalty", "penalty_repeat"],
  ["repeatLastN", "penalty_last_n"],
  ["mirostat", "mirostat"],
  ["mirostatTau", "mirostat_tau"],
  ["mirostatEta", "mirostat_eta"],
];

/**
 * The library's sampling defaults, overridden by the checkpoint's own. A value outside its setting's range is left out.
 */
export function samplingDefaults(metadata: Metadata): SamplingDefaults {
  const own = SAMPLING_KEYS.flatMap(([setting, key]) => {
    const value = metadata.get(`general.sampling.${key}`);
    return fits(value, SAMPLING_RANGES[setting]) ? [[setting, value]] : [];
  });
  return { ...SAMPLING_DEFAULTS, ...Object.fromEntries(own) };
}
