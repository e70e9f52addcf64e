/**
 * Pages of OpenAI's lists.
 * @module
 */
import { invalid } from "../../base/fields.ts";

/**
 * The page that a query asks for by `limit` and `after`.
 * @throws NibbleError `invalid_request` that names the field
 */
export function pageOf<T extends { readonly id: string }>(
  all: readonly T[],
  query: URLSearchParams,
  { most, byDefault }: { readonly most: number; readonly byDefault: number },
): object {
  const given = query.get("limit");
  const limit = given === null ? byDefault : Number(given);
  if (!Number.isInteger(limit) || limit < 1 || limit > most)
    throw invalid("limit", `an integer from 1 to ${most}`, given);
  const after = query.get("after");
  const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
  if (after !== null && from === 0) throw invalid("after", "the id of an entry of the list", after);
  const data = all.slice(from, from + limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: from + limit < all.length,
  };
}
