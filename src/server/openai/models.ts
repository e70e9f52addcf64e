/**
 * Models in OpenAI's shape.
 * @module
 */
import type { ServedModel } from "../models/served-model.ts";

/** @param created seconds since 1970 */
export function openaiModels(models: readonly ServedModel[], created: number): object {
  return { object: "list", data: models.map((model) => openaiModel(model, created)) };
}

/** The length of the context, and llama-server's `meta`, are known of a model in memory. */
export function openaiModel({ name, model }: ServedModel, created: number): object {
  const { contextLength, vocabSize, hiddenSize } = model?.info ?? {};
  const meta = model && { n_vocab: vocabSize, n_ctx: contextLength, n_embd: hiddenSize };
  return {
    id: name,
    object: "model",
    created,
    owned_by: "nibble",
    ...(model && { context_length: contextLength, max_model_len: contextLength, meta }),
  };
}
