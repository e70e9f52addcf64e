/**
 * The settings that Ollama's requests share: `options`, `format`, `think` and `keep_alive`.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import type { Fields } from "../../base/fields.ts";
import type { Body } from "../body.ts";

/** Ollama's names that differ from llama.cpp's. The others are the same. */
const RENAMED: Readonly<Record<string, string>> = { num_predict: "max_tokens", num_keep: "n_keep" };

export const OLLAMA_OPTIONS: FieldTable = {
  known: [
    ...Object.keys(RENAMED),
    "seed",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "repeat_last_n",
    "temperature",
    "repeat_penalty",
    "presence_penalty",
    "frequency_penalty",
    "mirostat",
    "mirostat_tau",
    "mirostat_eta",
    "stop",
  ],
  // How the model is loaded is said when the server starts; `tfs_z` and `penalize_newline` are gone from Ollama too.
  unused: [
    "num_ctx",
    "num_batch",
    "num_gpu",
    "num_thread",
    "main_gpu",
    "low_vram",
    "numa",
    "f16_kv",
    "logits_all",
    "vocab_only",
    "use_mmap",
    "use_mlock",
    "embedding_only",
    "rope_frequency_base",
    "rope_frequency_scale",
    "penalize_newline",
    "tfs_z",
  ],
};

/** The engine's names of these fields, and the client's. */
export const OPTION_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^max_tokens\b/, "options.num_predict"],
  [/^n_keep\b/, "options.num_keep"],
  [/^(seed|top_[kp]|min_p|typical_p|repeat_\w+|temperature|\w+_penalty|mirostat\w*|stop)\b/, "options.$1"],
  [/^response_format(\.json_schema(\.schema)?)?/, "format"],
];

/** The fields of `options` as those of a completion. @throws NibbleError `invalid_request` that names the field */
export function readOptions(fields: Fields): Body {
  const options = fields.get("options");
  if (options === undefined) return {};
  const inner = fields.nested(options, OLLAMA_OPTIONS, "options");
  const given = OLLAMA_OPTIONS.known.map((name) => [RENAMED[name] ?? name, inner.get(name)] as const);
  const body = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  // -1 and -2 ask for as many tokens as there are, which is the default.
  return typeof body.max_tokens === "number" && body.max_tokens < 0 ? { ...body, max_tokens: undefined } : body;
}

/** @returns `response_format`. "json" asks for any object, an object is a schema. */
export function readFormat(fields: Fields): unknown {
  const format = fields.get("format");
  if (format === undefined || format === "") return undefined;
  if (format === "json") return { type: "json_object" };
  if (typeof format !== "object" || Array.isArray(format)) throw fields.invalid("format", '"json" or a schema', format);
  return { type: "json_schema", json_schema: { name: "format", schema: format, strict: true } };
}

const EFFORTS = ["low", "medium", "high", "max"] as const;

/** `think`: false forbids reasoning, a word bounds it, true and nothing leave it to the model. */
export function readThink(fields: Fields): Body {
  const think = fields.get("think");
  if (typeof think === "string") return { reasoning_effort: fields.oneOf("think", EFFORTS) };
  return fields.boolean("think") === false ? { reasoning_budget: 0 } : {};
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Milliseconds that the model stays in memory: of a number of seconds, or a duration as Go writes it, such as "1h30m".
 * Infinity for negative ones. Undefined where the request does not say.
 */
export function readKeepAlive(fields: Fields): number | undefined {
  const value = fields.get("keep_alive");
  if (value === undefined) return undefined;
  const ms = typeof value === "number" ? value * 1000 : typeof value === "string" ? readDuration(value) : undefined;
  if (ms === undefined || Number.isNaN(ms))
    throw fields.invalid("keep_alive", 'seconds, or a duration such as "5m"', value);
  return ms < 0 ? Infinity : ms;
}

function readDuration(text: string): number | undefined {
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const [, sign, parts] = /^([+-]?)((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h)){1,10})$/.exec(text) ?? [];
  if (parts === undefined) return undefined;
  let ms = 0;
  for (const [, count, unit] of parts.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    ms += Number(count) * UNITS[unit!]!;
  return sign === "-" ? -ms : ms;
}
