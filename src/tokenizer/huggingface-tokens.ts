/**
 * The tokens of a tokenizer.json: by their ids.
 * @module
 */
import type { Json, JsonObject } from "../base/json.ts";
import { bad } from "./huggingface-json.ts";
import { MAX_VOCABULARY } from "./vocabulary.ts";

/** Token texts by id. */
export function tokensById(
  vocab: JsonObject,
  added: readonly { content: string; id: number }[],
): (string | undefined)[] {
  const tokens: (string | undefined)[] = [];
  const set = (content: string, id: Json | undefined): void => {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= MAX_VOCABULARY) {
      throw bad(`the id of ${JSON.stringify(content)}`, `a whole number below ${MAX_VOCABULARY}`, id ?? null);
    }
    if (tokens[id] !== undefined && tokens[id] !== content) {
      throw bad(`id ${id}`, `one token, ${JSON.stringify(tokens[id])}`, content);
    }
    while (tokens.length < id) tokens.push(undefined);
    tokens[id] = content;
  };
  for (const [content, id] of vocab) set(content, id);
  for (const { content, id } of added) set(content, id);
  return tokens;
}
