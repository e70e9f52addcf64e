/**
 * Models in Anthropic's shape.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { ServedModel } from "../models/served-model.ts";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;

/**
 * One page of the list, as `limit`, `after_id` and `before_id` ask.
 * @param created seconds since 1970
 * @throws NibbleError `invalid_request` that names the parameter
 */
export function anthropicModels(models: readonly ServedModel[], created: number, query: URLSearchParams): object {
  const limit = Number(query.get("limit") ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw new NibbleError("invalid_request", `limit: expected an integer from 1 to ${MAX_LIMIT}`, { param: "limit" });
  const from = cursor(models, query, "after_id");
  const to = cursor(models, query, "before_id");
  const rest = models.slice(from === undefined ? 0 : from + 1, to);
  const page = to !== undefined && from === undefined ? rest.slice(-limit) : rest.slice(0, limit);
  return {
    data: page.map((model) => anthropicModel(model, created)),
    has_more: page.length < rest.length,
    first_id: page[0]?.name ?? null,
    last_id: page.at(-1)?.name ?? null,
  };
}

function cursor(models: readonly ServedModel[], query: URLSearchParams, param: string): number | undefined {
  const id = query.get(param);
  if (id === null) return undefined;
  const index = models.findIndex(({ name }) => name === id);
  if (index >= 0) return index;
  throw new NibbleError("invalid_request", `${param}: there is no model ${id.slice(0, 100)} here`, { param });
}

export function anthropicModel({ name }: ServedModel, created: number): object {
  return { type: "model", id: name, display_name: name, created_at: new Date(created * 1000).toISOString() };
}
