/**
 * llama-server's own /embedding, also /embeddings without /v1.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import { Fields, invalid } from "../../base/fields.ts";
import type { EmbedInput } from "../../engine/request/embed-options.ts";
import type { Call } from "../call.ts";

const FIELDS: FieldTable = {
  known: ["content", "input", "embd_normalize", "model"],
  unused: ["user", "id_slot", "cache_prompt", "encoding_format"],
};
const MAX_INPUTS = 2048;

/** One vector per text, each as the only row of a matrix. @throws NibbleError that names the field */
export function nativeEmbeddings({ model, body, exchange }: Call): (signal: AbortSignal) => Promise<object> {
  const fields = new Fields(body, FIELDS, "", exchange.rules);
  const texts = readTexts(fields);
  const normalize = readNormalize(fields);
  return async (signal) => {
    const vectors = await model.embed(texts, { signal, normalize });
    return vectors.map((vector, index) => ({ index, embedding: [Array.from(vector)] }));
  };
}

function readTexts(fields: Fields): EmbedInput[] {
  const key = fields.get("content") === undefined ? "input" : "content";
  const given = fields.get(key);
  const isIds = Array.isArray(given) && given.length > 0 && given.every((one) => typeof one === "number");
  const list = typeof given === "string" || isIds ? [given] : given;
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_INPUTS)
    throw fields.invalid(key, `a text, token ids, or 1 to ${MAX_INPUTS} of either`, given);
  return list.map((one, i) => {
    if ((typeof one === "string" || Array.isArray(one)) && one.length > 0) return one as EmbedInput;
    throw invalid(`${key}[${i}]`, "a text or token ids that are not empty", one ?? null);
  });
}

/** llama-server's 2 is the Euclidean norm, which is the default, and -1 none. */
function readNormalize(fields: Fields): boolean {
  const value = fields.number("embd_normalize", { integer: true }) ?? 2;
  if (value === 2 || value === -1) return value === 2;
  throw fields.invalid("embd_normalize", "2 or -1 (other norms are not supported)", value);
}
