/**
 * /v1/models, which OpenAI and Anthropic have in common: the request's headers tell whose shape the client knows.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { anthropicModel, anthropicModels } from "../anthropic/models.ts";
import { facts } from "../endpoint.ts";
import { openaiModel, openaiModels } from "../openai/models.ts";
import type { Exchange, Route } from "../route.ts";
import type { ServedModel } from "./served-model.ts";

export const MODEL_ROUTES: readonly Route[] = [
  { method: "GET", path: "/v1/models", respond: facts(listModels) },
  { method: "GET", path: "/v1/models/:id", respond: facts(oneModel) },
];

function listModels({ server: { models, created }, request, url }: Exchange): object {
  return isAnthropic(request)
    ? anthropicModels(models.models, created, url.searchParams)
    : openaiModels(models.models, created);
}

/** @throws NibbleError `not_found` */
function oneModel({ server: { models, created }, params, request, url }: Exchange): object {
  const found: ServedModel | undefined = models.models.find(({ name }) => name === params.id);
  if (!found) throw new NibbleError("not_found", `${url.pathname.slice(0, 100)}: there is no such model`);
  return isAnthropic(request) ? anthropicModel(found, created) : openaiModel(found, created);
}

/** Anthropic's clients send this header with every request. */
function isAnthropic({ headers }: Request): boolean {
  return headers.has("anthropic-version");
}
