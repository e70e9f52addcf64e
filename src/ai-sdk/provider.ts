/**
 * The provider: models by name, each loaded once, when it is first used.
 * @module
 */
import { NibbleError } from "../errors.ts";
import { type ChatModel, createLanguageModel } from "./language-model.ts";
import type { LanguageModel, SpecificationVersion } from "./types.ts";

export interface NibbleProviderOptions<Version extends SpecificationVersion = "v4"> {
  /** From a model's name to the model: `load` of this package, or a function that gives one that is loaded. */
  readonly load: (modelId: string) => ChatModel | PromiseLike<ChatModel>;
  /** "v4" (default) for AI SDK 7, "v3" for AI SDK 6. */
  readonly specificationVersion?: Version;
}

export interface NibbleProvider<Version extends SpecificationVersion = "v4"> {
  (modelId: string): LanguageModel<Version>;
  readonly specificationVersion: Version;
  languageModel(modelId: string): LanguageModel<Version>;
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
  const models = new Map<string, Promise<ChatModel>>();

  function open(modelId: string): Promise<ChatModel> {
    let model = models.get(modelId);
    if (!model) {
      model = Promise.resolve(load(modelId));
      models.set(modelId, model);
      // A load that failed may be tried again.
      model.catch(() => models.delete(modelId));
    }
    return model;
  }

  const languageModel = (modelId: string) => createLanguageModel(specificationVersion, modelId, () => open(modelId));
  return Object.assign((modelId: string) => languageModel(modelId), {
    specificationVersion,
    languageModel,
    imageModel: (modelId: string) => {
      throw new NibbleError("invalid_argument", `${modelId}: nibble has no image models`);
    },
  });
}
