/**
 * The models behind a handler, and which one a request means.
 * @module
 */

import { NibbleError } from "../base/errors.ts";
import { invalid } from "../base/fields.ts";
import type { Model } from "../engine/model.ts";

const MAX_NAME = 1024;

/** @throws NibbleError `invalid_argument` for no model at all, or two of the same name */
export function checkModels(given: Model | readonly Model[]): readonly Model[] {
  const models = Array.isArray(given) ? (given as readonly Model[]) : [given as Model];
  if (models.length === 0) throw invalid("model", "at least one model", given, "invalid_argument");
  const names = models.map(({ info }) => info.name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw invalid("model", "models of different names", twice, "invalid_argument");
  return models;
}

/**
 * The model that a body names, or the first if it names none. A server with a single model takes any name, as
 * llama-server does, because clients always send one.
 * @throws NibbleError `not_found`, `invalid_request` for a name that is not a string
 */
export function pickModel(models: readonly Model[], body: unknown): Model {
  const name = typeof body === "object" && body !== null ? (body as { model?: unknown }).model : undefined;
  if (name === undefined || name === null) return models[0]!;
  if (typeof name !== "string" || name.length > MAX_NAME) throw invalid("model", "a name", name);
  const named = models.find(({ info }) => info.name === name) ?? (models.length === 1 ? models[0] : undefined);
  if (named) return named;
  const known = models.map(({ info }) => info.name).join(", ");
  throw new NibbleError("not_found", `model: expected one of ${known}, got ${name.slice(0, 100)}`, { param: "model" });
}
