/**
 * Ollama's /api/embed, and the older /api/embeddings.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import { Fields, invalid } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";
import type { Call } from "../call.ts";
import { readKeepAlive } from "./options.ts";

const EMBED: FieldTable = {
  known: ["model", "input", "truncate", "dimensions", "keep_alive"],
  unused: ["options"],
};
const EMBEDDINGS: FieldTable = { known: ["model", "prompt", "keep_alive"], unused: ["options"] };
const MAX_INPUTS = 2048;
const NANOSECONDS = 1e6;

type Compute = (signal: AbortSignal) => Promise<object>;

/** Vectors of length 1. @throws NibbleError that names the field */
export function embed(call: Call): Compute {
  const start = performance.now();
  const { model, lease, body, exchange } = call;
  const fields = new Fields(body, EMBED, "", exchange.rules);
  lease.keepAliveMs = readKeepAlive(fields);
  const dimensions = fields.number("dimensions", { min: 1, max: model.info.hiddenSize, integer: true });
  const inputs = readInput(fields, model);
  return async (signal) => {
    const vectors = inputs.length === 0 ? [] : await model.embed(inputs, { signal });
    return {
      model: model.info.name,
      embeddings: vectors.map((vector) => shorten(vector, dimensions)),
      total_duration: Math.round((performance.now() - start + lease.loadMs) * NANOSECONDS),
      load_duration: Math.round(lease.loadMs * NANOSECONDS),
      prompt_eval_count: inputs.reduce((sum, ids) => sum + ids.length, 0),
    };
  };
}

/** One vector as it is, whatever its length. @throws NibbleError that names the field */
export function embedPrompt({ model, lease, body, exchange }: Call): Compute {
  const fields = new Fields(body, EMBEDDINGS, "", exchange.rules);
  lease.keepAliveMs = readKeepAlive(fields);
  const prompt = fields.string("prompt", Infinity) ?? "";
  return async (signal) => {
    if (prompt === "") return { embedding: [] };
    const [vector] = await model.embed([prompt], { signal, normalize: false });
    return { embedding: Array.from(vector!) };
  };
}

/** The token ids of each text, cut to the context unless `truncate` is false. */
function readInput(fields: Fields, model: Model): number[][] {
  const input = fields.get("input") ?? [];
  const texts = typeof input === "string" ? [input] : input;
  if (!Array.isArray(texts) || texts.length > MAX_INPUTS)
    throw fields.invalid("input", `a string or an array of at most ${MAX_INPUTS} strings`, input);
  const cut = fields.boolean("truncate") ?? true;
  return texts.map((text, i) => {
    if (typeof text !== "string" || text === "")
      throw invalid(`input[${i}]`, "a string that is not empty", text ?? null);
    const ids = model.tokenize(text);
    return cut ? ids.slice(0, model.info.contextLength) : ids;
  });
}

/** The first numbers of a vector, scaled to length 1 again. */
function shorten(vector: Float32Array, dimensions: number | undefined): number[] {
  if (dimensions === undefined || dimensions === vector.length) return Array.from(vector);
  const kept = vector.subarray(0, dimensions);
  const length = Math.sqrt(kept.reduce((sum, value) => sum + value * value, 0));
  return Array.from(kept, (value) => (length > 0 ? Math.fround(value / length) : value));
}
