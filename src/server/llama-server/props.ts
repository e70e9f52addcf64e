/**
 * llama-server's /props, with facts of our own beside its names.
 * @module
 */
import type { Model } from "../../engine/model.ts";
import type { ServedModel } from "../models/served-model.ts";
import type { Exchange } from "../route.ts";
import { generationSettings } from "./generation-settings.ts";

/**
 * Answers /props. The facts of a model that is not in memory are those of its last load, so that the request does not
 * load it again.
 */
export async function props(exchange: Exchange): Promise<object> {
  const { settings, models } = exchange.server;
  const served = await models.meant({ model: exchange.url.searchParams.get("model") });
  const info = served.info ?? (await loadedInfo(served, exchange));
  const { name, architecture, contextLength, vocabSize, chatTemplate, template, endIds, bosToken, eosToken } = info;
  const params = generationSettings(info, { served, exchange });
  return {
    default_generation_settings: { id: 0, id_task: -1, n_ctx: contextLength, is_processing: false, params },
    total_slots: settings.slots,
    model_alias: name,
    model_path: name,
    bos_token: bosToken ?? "",
    eos_token: eosToken ?? "",
    chat_template: typeof template === "string" ? template : "",
    modalities: { vision: false, audio: false },
    is_sleeping: served.model === undefined,
    build_info: "nibble",
    architecture,
    n_vocab: vocabSize,
    chat_template_origin: chatTemplate,
    end_tokens: endIds,
  };
}

async function loadedInfo(served: ServedModel, { server, request }: Exchange): Promise<Model["info"]> {
  const lease = await server.models.acquire(served, request.signal);
  lease.release();
  return lease.model.info;
}
