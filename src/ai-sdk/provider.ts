/**
 * The provider: models by name. Each is loaded once, when it is first used.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { createEmbeddingModel } from "./embedding-model.ts";
import { createLanguageModel, type ProvidedModel } from "./language-model.ts";
import type { EmbeddingModel, LanguageModel, SpecificationVersion } from "./types.ts";

/** Options of `createNibble`. */
export interface NibbleProviderOptions<Version extends SpecificationVersion = "v4"> {
  /** Loads a model by its name: `load` of this package, or a function that returns a model that is loaded already. */
  readonly load: (modelId: string) => ProvidedModel | PromiseLike<ProvidedModel>;
  /** "v4" (default) for AI SDK 7, "v3" for AI SDK 6. */
  readonly specificationVersion?: Version;
}

/** A provider for the AI SDK. Calling it makes a language model, as `languageModel` does. */
export interface NibbleProvider<Version extends SpecificationVersion = "v4"> {
  (modelId: string): LanguageModel<Version>;
  /** The version of the specification that its models follow. */
  readonly specificationVersion: Version;
  /** A language model by name; it is loaded when it is first used. */
  languageModel(modelId: string): LanguageModel<Version>;
  /** An embedding model by name; it is loaded when it is first used. */
  embeddingModel(modelId: string): EmbeddingModel<Version>;
  /** @throws NibbleError `invalid_argument`: there are no image models */
  imageModel(modelId: string): never;
}

/** @throws NibbleError `invalid_argument` */
export function createNibble<Version extends SpecificationVersion = "v4">(
  options: NibbleProviderOptions<Version>,
): NibbleProvider<Version> {
  const { load, specificationVersion = "v4" as Version } = options;
  if (typeof load !== "function") {
    throw new NibbleError("invalid_argument", `load: expected a function, got ${typeof load}`, { param: "load" });
  }
  const models = new Map<string, Promise<ProvidedModel>>();

  function open(modelId: string): Promise<ProvidedModel> {
    let model = models.get(modelId);
    if (!model) {
      model = Promise.resolve(load(modelId));
      models.set(modelId, model);
      // After a failure the next request tries again.
      model.catch(() => models.delete(modelId));
    }
    return model;
  }

  const languageModel = (modelId: string) => createLanguageModel(specificationVersion, modelId, () => open(modelId));
  return Object.assign((modelId: string) => languageModel(modelId), {
    specificationVersion,
    languageModel,
    embeddingModel: (modelId: string) => createEmbeddingModel(specificationVersion, modelId, () => open(modelId)),
    imageModel: (modelId: string) => {
      throw new NibbleError("invalid_argument", `${modelId}: nibble has no image models`);
    },
  });
}
