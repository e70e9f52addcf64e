/**
 * Makes a loaded model an embedding model of the AI SDK.
 * @module
 */
import type { EmbeddingRequest } from "../engine/openai/embeddings.ts";
import type { EmbedOptions } from "../engine/request/embed-options.ts";
import type { OpenModel } from "./language-model.ts";
import { PROVIDER } from "./settings.ts";
import type { EmbeddingModel, SpecificationVersion, Warning } from "./types.ts";

/** The most texts that the engine takes in one call. */
const MAX_TEXTS = 2048;

/** @param open resolves to the model; every request calls it */
export function createEmbeddingModel<Version extends SpecificationVersion>(
  specificationVersion: Version,
  modelId: string,
  open: OpenModel,
): EmbeddingModel<Version> {
  return {
    specificationVersion,
    provider: PROVIDER,
    modelId,
    maxEmbeddingsPerCall: MAX_TEXTS,
    supportsParallelCalls: true,

    async doEmbed({ values, dimensions, abortSignal, providerOptions }) {
      const model = await open();
      const warnings: Warning[] = [];
      const { promptName, ...options } = (providerOptions?.[PROVIDER] ?? {}) as EmbedOptions;
      const request = {
        ...options,
        input: [...values],
        dimensions: dimensions ?? options.dimensions ?? null,
        prompt_name: promptName ?? null,
      } as EmbeddingRequest;
      const { data, usage } = await model.embeddings.create(request, abortSignal && { signal: abortSignal });
      return {
        embeddings: data.map(({ embedding }) => embedding as number[]),
        usage: { tokens: usage.prompt_tokens },
        warnings,
      };
    },
  };
}
