/**
 * llama-server's own /embedding, also /embeddings without /v1.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import { Fields, invalid } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";
import type { Call } from "../call.ts";
import { readPrompts } from "./prompts.ts";

const FIELDS: FieldTable = {
  known: ["content", "input", "embd_normalize", "model"],
  unused: ["user", "id_slot", "cache_prompt", "encoding_format"],
};
const MAX_INPUTS = 2048;

/** One vector per text, each as the only row of a matrix. @throws NibbleError that names the field */
export function nativeEmbeddings({ model, body, exchange }: Call): (signal: AbortSignal) => Promise<object> {
  const fields = new Fields(body, FIELDS, "", exchange.rules);
  const inputs = readInputs(fields, model, fields.get("content") === undefined ? "input" : "content");
  const pooling = exchange.server.settings.pooling ?? model.info.embedding.pooling;
  const normalize = readNormalize(fields) && pooling !== "none";
  return async (signal) => {
    const vectors = await model.embed(inputs, { signal, normalize, pooling });
    return vectors.map((vector, index) => ({ index, embedding: matrix(vector, model.info.hiddenSize) }));
  };
}

/** The rows of a vector: one, or with pooling "none" one per token. */
function matrix(vector: Float32Array, width: number): number[][] {
  return Array.from({ length: vector.length / width }, (_, i) =>
    Array.from(vector.subarray(i * width, (i + 1) * width)),
  );
}

/**
 * The body of /v1/embeddings. Inputs that only llama-server accepts (mixed lists and objects) are replaced by token
 * ids.
 */
export function withNativeInputs({ model, body, exchange }: Call): unknown {
  const { input } = (typeof body === "object" && body !== null ? body : {}) as { input?: unknown };
  const parts = Array.isArray(input) ? input : [input];
  const isMixed = (list: readonly unknown[]) => new Set(list.map((one) => typeof one)).size > 1;
  const isPlain = parts.every((one) => typeof one !== "object" || (Array.isArray(one) && !isMixed(one)));
  if (input === null || (isPlain && (!isMixed(parts) || parts.some(Array.isArray)))) return body;
  return {
    ...(body as object),
    input: readInputs(new Fields({ input }, ["input"], "", exchange.rules), model, "input"),
  };
}

function readInputs(fields: Fields, model: Model, key: string): (readonly number[])[] {
  const { prompts } = readPrompts(fields, model, { key, most: MAX_INPUTS, complete: true });
  const inputs = prompts.map(({ ids }) => ids);
  const empty = inputs.findIndex((ids) => ids.length === 0);
  if (empty >= 0) throw invalid(`${key}[${empty}]`, "a text or token ids that are not empty", "");
  return inputs;
}

/** llama-server's 2 is the Euclidean norm, which is the default, and -1 none. */
function readNormalize(fields: Fields): boolean {
  const value = fields.number("embd_normalize", { integer: true }) ?? 2;
  if (value === 2 || value === -1) return value === 2;
  throw fields.invalid("embd_normalize", "2 or -1 (other norms are not supported)", value);
}
