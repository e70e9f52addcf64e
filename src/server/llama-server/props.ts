/**
 * llama-server's /props, with facts of our own beside its names.
 * @module
 */
import type { Model } from "../../engine/model.ts";
import type { Exchange } from "../route.ts";
import { generationSettings } from "./generation-settings.ts";

export function props(model: Model, exchange: Exchange): object {
  const { name, architecture, contextLength, vocabSize, chatTemplate, template, endIds } = model.info;
  const { settings, models } = exchange.server;
  const served = models.models.find((one) => one.model === model);
  const params = generationSettings({ model, exchange, served: served ?? models.models[0]! });
  return {
    default_generation_settings: { id: 0, id_task: -1, n_ctx: contextLength, is_processing: false, params },
    total_slots: settings.slots,
    model_alias: name,
    model_path: name,
    chat_template: typeof template === "string" ? template : "",
    modalities: { vision: false, audio: false },
    is_sleeping: false,
    build_info: "nibble",
    architecture,
    n_vocab: vocabSize,
    chat_template_origin: chatTemplate,
    end_tokens: endIds,
  };
}
