/**
 * vLLM's /score: how well texts fit to others, pair by pair, by a reranker.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import { Fields, invalid } from "../../base/fields.ts";
import { head } from "../../engine/openai/totals.ts";
import type { Call } from "../call.ts";

/** The names of the two sides, of which a request has one pair. */
const SIDES = [
  ["text_1", "text_2"],
  ["queries", "documents"],
  ["queries", "items"],
  ["data_1", "data_2"],
] as const;

export const SCORE_FIELDS: FieldTable = {
  known: ["model", ...new Set(SIDES.flat()), "use_activation", "activation", "instruction", "lora"],
  unused: ["user", "priority", "request_id", "encoding_format"],
  unsupported: {
    truncate_prompt_tokens: { instead: "send shorter texts", neutral: (value) => value === -1 },
    mm_processor_kwargs: { instead: "send text, which is all that the models here read" },
  },
};

const MAX_TEXTS = 2048;

/** @throws NibbleError that names the field; `not_supported` for a model that is no reranker */
export function score({ model, body, exchange }: Call): (signal: AbortSignal) => Promise<object> {
  const fields = new Fields(body, SCORE_FIELDS, "", exchange.rules);
  fields.string("model", 1024);
  const has = (name: string): boolean => fields.get(name) !== undefined;
  const [one, other] = SIDES.find((names) => names.every(has)) ?? SIDES.find((names) => names.some(has)) ?? SIDES[0];
  const [firsts, seconds] = [readTexts(fields, one), readTexts(fields, other)];
  const empty = firsts.indexOf("");
  if (empty >= 0) throw fields.invalid(`${one}[${empty}]`, "a text that is not empty", "");
  if (firsts.length > 1 && firsts.length !== seconds.length)
    throw fields.invalid(other, `${firsts.length} texts, as ${one} has`, `${seconds.length}`);
  const options = {
    normalize: fields.boolean("use_activation") ?? fields.boolean("activation"),
    instruction: fields.string("instruction", 2 ** 16),
    lora: fields.get("lora") as undefined,
  };
  return async (signal) => {
    const rank = (query: string, documents: readonly string[]) =>
      model.rerank(query, documents, { ...options, signal });
    const rankings =
      firsts.length === 1
        ? [await rank(firsts[0]!, seconds)]
        : await Promise.all(firsts.map((query, i) => rank(query, [seconds[i]!])));
    const scores = rankings.flatMap(({ results }) =>
      [...results].sort((a, b) => a.index - b.index).map(({ score: value }) => value),
    );
    const tokens = rankings.reduce((sum, ranking) => sum + ranking.tokens, 0);
    return {
      ...head("score", model.info.name),
      object: "list",
      data: scores.map((value, index) => ({ index, object: "score", score: value })),
      usage: { prompt_tokens: tokens, total_tokens: tokens, completion_tokens: 0 },
    };
  };
}

/** A text, or a list of texts. */
function readTexts(fields: Fields, key: string): readonly string[] {
  const value = fields.get(key);
  const list = typeof value === "string" ? [value] : value;
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_TEXTS)
    throw fields.invalid(key, `a text, or an array of 1 to ${MAX_TEXTS} texts`, value);
  return Array.from(list as readonly unknown[], (text, i) => {
    if (typeof text === "string") return text;
    throw invalid(fields.param(`${key}[${i}]`), "a text", text ?? null);
  });
}
