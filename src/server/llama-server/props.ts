/**
 * llama-server's /props.
 * @module
 */
import type { Model } from "../../engine/model.ts";
import type { Exchange } from "../route.ts";

export function props({ info }: Model, { server: { settings } }: Exchange): object {
  const { name, architecture, contextLength, vocabSize, chatTemplate, sampling, endIds } = info;
  return {
    model_alias: name,
    architecture,
    total_slots: settings.slots,
    n_vocab: vocabSize,
    chat_template_origin: chatTemplate,
    end_tokens: endIds,
    default_generation_settings: {
      n_ctx: contextLength,
      params: {
        temperature: sampling.temperature,
        top_k: sampling.topK,
        top_p: sampling.topP,
        min_p: sampling.minP,
        repeat_penalty: sampling.repeatPenalty,
        repeat_last_n: sampling.repeatLastN,
        presence_penalty: sampling.presencePenalty,
        frequency_penalty: sampling.frequencyPenalty,
      },
    },
  };
}
