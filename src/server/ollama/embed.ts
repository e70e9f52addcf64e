/**
 * Ollama's /api/embed, and the older /api/embeddings.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import { Fields, invalid } from "../../base/fields.ts";
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
  const inputs = readInput(fields);
  const truncate = fields.boolean("truncate") ?? true;
  return async (signal) => {
    const request = { input: inputs, normalize: true, truncate, dimensions: dimensions ?? null };
    const answer = inputs.length === 0 ? undefined : await model.embeddings.create(request, { signal });
    return {
      model: model.info.name,
      embeddings: answer?.data.map(({ embedding }) => embedding) ?? [],
      total_duration: Math.round((performance.now() - start + lease.loadMs) * NANOSECONDS),
      load_duration: Math.round(lease.loadMs * NANOSECONDS),
      prompt_eval_count: answer?.usage.prompt_tokens ?? 0,
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

function readInput(fields: Fields): string[] {
  const input = fields.get("input") ?? [];
  const texts = input === "" ? [] : typeof input === "string" ? [input] : input;
  if (!Array.isArray(texts) || texts.length > MAX_INPUTS)
    throw fields.invalid("input", `a string or an array of at most ${MAX_INPUTS} strings`, input);
  return texts.map((text, i) => {
    if (typeof text !== "string" || text === "")
      throw invalid(`input[${i}]`, "a string that is not empty", text ?? null);
    return text;
  });
}
