/**
 * OpenAI's /v1/models.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Model } from "../../engine/model.ts";
import type { Exchange } from "../route.ts";

export function listModels({ server: { models, created } }: Exchange): object {
  return { object: "list", data: models.map((model) => modelObject(model, created)) };
}

/** @throws NibbleError `not_found` */
export function oneModel({ server: { models, created }, params, url }: Exchange): object {
  const model = models.find(({ info }) => info.name === params.id);
  if (!model) throw new NibbleError("not_found", `${url.pathname.slice(0, 100)}: there is no such model`);
  return modelObject(model, created);
}

function modelObject({ info }: Model, created: number): object {
  return { id: info.name, object: "model", created, owned_by: "nibble", context_length: info.contextLength };
}
