/**
 * vLLM's form of /tokenize: a text or a chat to its token ids and their number.
 * @module
 */
import { Fields } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";
import type { Body } from "../body.ts";
import type { Call } from "../call.ts";
import { promptOfChat } from "../engine-calls.ts";
import { tokenizeText } from "../tokenize.ts";

/** Whether a body of /tokenize is vLLM's; llama-server's text is `content`. */
export function asksForCount(body: unknown): body is Body {
  return typeof body === "object" && body !== null && ("prompt" in body || "messages" in body);
}

/**
 * `{ prompt, add_special_tokens?, return_token_strs? }`, or a chat with `messages`, to
 * `{ count, max_model_len, tokens, token_strs }`.
 * @throws NibbleError that names the field
 */
export async function countTokens(call: Call, body: Body): Promise<object> {
  const { model } = call;
  const { return_token_strs, ...request } = body;
  const strings = new Fields({ return_token_strs }, ["return_token_strs"]).boolean("return_token_strs") ?? false;
  const ids = "messages" in request ? await chatIds(call, request) : textIds(call, request);
  return {
    count: ids.length,
    max_model_len: model.info.contextLength,
    tokens: ids,
    token_strs: strings ? ids.map((id) => model.detokenize([id], { skipSpecial: false })) : null,
  };
}

/** The template writes the special tokens of a chat, so `add_special_tokens` changes nothing there. */
async function chatIds(call: Call, { add_special_tokens: _, ...chat }: Body): Promise<number[]> {
  return (await promptOfChat(call, chat)).ids;
}

function textIds({ model, exchange }: Call, request: Body): number[] {
  const fields = new Fields(request, ["model", "prompt", "add_special_tokens"], "", exchange.rules);
  const prompt = fields.string("prompt", Infinity);
  if (prompt === undefined) throw fields.invalid("prompt", "a string", prompt);
  const options: Parameters<Model["tokenize"]>[1] =
    fields.boolean("add_special_tokens") === false ? { addBos: false } : {};
  return tokenizeText(model, prompt, "prompt", options);
}
