/**
 * llama-server's /tokenize and /detokenize.
 * @module
 */
import { checkNumber, Fields, invalid } from "../../base/fields.ts";
import { decodeUtf8 } from "../../base/utf8.ts";
import type { Call } from "../call.ts";
import { MAX_IDS, tokenizeText } from "../tokenize.ts";
import { asksForCount, countTokens } from "./count-tokens.ts";

/**
 * `{ content, add_special?, parse_special?, with_pieces? }` to `{ tokens }`; vLLM's bodies have a form of their own.
 * @throws NibbleError that names the field
 */
export function tokenize(call: Call): object {
  const { model, body, exchange } = call;
  if (asksForCount(body)) return countTokens(call, body);
  const fields = new Fields(
    body,
    ["model", "content", "add_special", "parse_special", "with_pieces"],
    "",
    exchange.rules,
  );
  const content = fields.string("content", Infinity);
  if (content === undefined) throw invalid("content", "a string", content);
  // With special tokens means as the model's own tokenizer adds them: many models have no BOS before a text.
  const addSpecial = fields.boolean("add_special") ?? false;
  const special = fields.boolean("parse_special") ?? true;
  const pieces = fields.boolean("with_pieces") ?? false;
  const ids = tokenizeText(model, content, "content", { ...(!addSpecial && { addBos: false }), special });
  return { tokens: pieces ? ids.map((id) => ({ id, piece: pieceOf(model.tokenBytes(id)) })) : ids };
}

/** A token's text, or its bytes where they are not whole characters. */
function pieceOf(bytes: Uint8Array): string | number[] {
  try {
    return decodeUtf8(bytes, "token");
  } catch {
    return [...bytes];
  }
}

/** `{ tokens }` to `{ content }`, which vLLM calls `prompt`. @throws NibbleError that names the field */
export function detokenize({ model, body, exchange }: Call): object {
  const tokens = new Fields(body, ["model", "tokens"], "", exchange.rules).array("tokens", MAX_IDS);
  if (tokens === undefined) throw invalid("tokens", "an array of token ids", tokens);
  const range = { min: 0, max: model.info.vocabSize - 1, integer: true };
  const ids = tokens.map((id) => checkNumber("tokens", id, range));
  const content = model.detokenize(ids, { skipSpecial: false });
  return { content, prompt: content };
}
