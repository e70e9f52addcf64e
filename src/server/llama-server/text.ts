/**
 * What stands below answers, under llama-server's names: /tokenize, /detokenize, /apply-template, /props.
 * @module
 */
import { checkNumber, Fields, invalid } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";
import { checkMessages, checkVariables, MAX_MESSAGES } from "../../engine/request/request.ts";

/** Most ids of one /detokenize. */
const MAX_IDS = 2 ** 20;

/** `{ content, add_special?, parse_special?, with_pieces? }` to `{ tokens }`. */
export function tokenize(model: Model, body: unknown): object {
  const fields = new Fields(body, ["model", "content", "add_special", "parse_special", "with_pieces"]);
  const content = fields.string("content", Infinity);
  if (content === undefined) throw invalid("content", "a string", content);
  const addBos = fields.boolean("add_special") ?? false;
  const special = fields.boolean("parse_special") ?? true;
  const pieces = fields.boolean("with_pieces") ?? false;
  const ids = model.tokenize(content, { addBos, special });
  return { tokens: pieces ? ids.map((id) => ({ id, piece: model.detokenize([id], { skipSpecial: false }) })) : ids };
}

/** `{ tokens }` to `{ content }`. */
export function detokenize(model: Model, body: unknown): object {
  const fields = new Fields(body, ["model", "tokens"]);
  const tokens = fields.array("tokens", MAX_IDS);
  if (tokens === undefined) throw invalid("tokens", "an array of token ids", tokens);
  const range = { min: 0, max: model.info.vocabSize - 1, integer: true };
  return {
    content: model.detokenize(
      tokens.map((id) => checkNumber("tokens", id, range)),
      { skipSpecial: false },
    ),
  };
}

/** `{ messages, chat_template_kwargs?, add_generation_prompt? }` to `{ prompt }`. */
export function applyTemplate(model: Model, body: unknown): object {
  const fields = new Fields(body, ["model", "messages", "chat_template_kwargs", "add_generation_prompt"]);
  const messages = checkMessages(fields.array("messages", MAX_MESSAGES));
  const variables = Object.fromEntries(checkVariables(fields.get("chat_template_kwargs")));
  const addGenerationPrompt = fields.boolean("add_generation_prompt") ?? true;
  return { prompt: model.applyTemplate(messages, { variables, addGenerationPrompt }) };
}

export function props(model: Model, slots: number): object {
  const { name, architecture, contextLength, vocabSize, chatTemplate, sampling, endIds } = model.info;
  return {
    model_alias: name,
    architecture,
    total_slots: slots,
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
