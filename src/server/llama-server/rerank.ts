/**
 * /v1/rerank and its other names, as llama-server has them: Jina's API and Cohere's (also at /v2/rerank), and that of Text
 * Embeddings Inference for bodies with `texts`.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import { Fields, invalid } from "../../base/fields.ts";
import type { Call } from "../call.ts";

export const RERANK_FIELDS: FieldTable = {
  known: [
    ...["model", "query", "documents", "texts", "top_n", "return_documents", "return_text", "raw_scores"],
    ...["normalize", "instruction", "truncate", "lora"],
  ],
  unused: ["user", "truncation_direction", "id_slot", "cache_prompt", "priority", "request_id"],
  unsupported: {
    max_tokens_per_doc: { instead: "send truncate: true, which cuts at the model's own length" },
    max_chunks_per_doc: { instead: "send shorter documents, or truncate: true" },
    rank_fields: { instead: "send the text of each document" },
    truncate_prompt_tokens: { instead: "send truncate: true", neutral: (value) => value === -1 },
  },
};

/** @throws NibbleError that names the field; `not_supported` for a model that is no reranker */
export function rerank({ model, body, exchange }: Call): (signal: AbortSignal) => Promise<object> {
  const fields = new Fields(body, RERANK_FIELDS, "", exchange.rules);
  fields.string("model", 1024);
  const query = fields.string("query", Number.POSITIVE_INFINITY);
  if (!query) throw fields.invalid("query", "a text that is not empty", query);
  const isTei = fields.get("documents") === undefined && fields.get("texts") !== undefined;
  const documents = readDocuments(fields, isTei ? "texts" : "documents");
  const raw = fields.boolean("raw_scores");
  const normalize = fields.boolean("normalize") ?? (isTei && raw !== undefined ? !raw : undefined);
  const options = {
    normalize,
    topN: fields.number("top_n", { min: 0, integer: true }),
    returnDocuments: fields.boolean(isTei ? "return_text" : "return_documents"),
    instruction: fields.string("instruction", 2 ** 16),
    truncate: fields.boolean("truncate"),
    lora: fields.get("lora") as undefined,
  };
  return async (signal) => {
    const { results, tokens } = await model.rerank(query, documents, { ...options, signal });
    if (isTei)
      return results.map(({ index, score, document: text }) => ({ index, score, ...(text !== undefined && { text }) }));
    return {
      model: model.info.name,
      object: "list",
      usage: { prompt_tokens: tokens, total_tokens: tokens },
      results: results.map(({ index, score, document: text }) => ({
        index,
        relevance_score: score,
        ...(text !== undefined && { document: { text } }),
      })),
    };
  };
}

/** Texts, or Jina's objects with a text. */
function readDocuments(fields: Fields, key: string): string[] {
  const list = fields.get(key);
  if (!Array.isArray(list) || list.length === 0) throw fields.invalid(key, "an array of texts that is not empty", list);
  return list.map((one, i) => {
    const text = typeof one === "object" && one !== null ? (one as { text?: unknown }).text : one;
    if (typeof text !== "string")
      throw invalid(fields.param(`${key}[${i}]`), "a text, or an object with a text", one ?? null);
    return text;
  });
}
