/**
 * The vocabulary of a tokenizer.json by id, and its merges.
 * @module
 */
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { AddedToken } from "../../src/tokenizer/added-tokens.ts";
import { bad, field, list } from "./json-fields.ts";
import { tokenType } from "./scores.ts";

/**
 * Texts and types by id. An added token replaces the vocabulary's entry.
 * @param size number of ids; those that the tokenizer does not use become `[PADn]`
 * @throws NibbleError `bad_tokenizer`
 */
export function tokenLists(
  vocab: JsonObject,
  added: readonly AddedToken[],
  size: number,
): { tokens: string[]; types: Int32Array } {
  const tokens: (string | undefined)[] = new Array(size).fill(undefined);
  const types = new Int32Array(size).fill(tokenType.normal);
  const checked = (id: Json, text: string): number => {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= size) {
      throw bad(`token ${JSON.stringify(text)}: expected an id from 0 to ${size - 1}, got ${id}`);
    }
    return id;
  };
  for (const [text, id] of vocab) tokens[checked(id, text)] = text;
  for (const { id, content, special } of added) {
    tokens[checked(id, content)] = content;
    types[id] = special || looksSpecial(content) ? tokenType.control : tokenType.userDefined;
  }
  for (let id = 0; id < size; id++) {
    if (tokens[id] !== undefined) continue;
    tokens[id] = `[PAD${id}]`;
    types[id] = tokenType.unused;
  }
  return { tokens: tokens as string[], types };
}

/** Some tokenizers do not mark their control tokens, so llama.cpp's converter goes by the spelling. */
function looksSpecial(text: string): boolean {
  return (
    text === "<pad>" ||
    text === "<mask>" ||
    /^<unused\d+>$/.test(text) ||
    (text.startsWith("<|") && text.endsWith("|>")) ||
    (text.startsWith("<｜") && text.endsWith("｜>"))
  );
}

/** The merges in order of rank, in either of the two spellings. @throws NibbleError `bad_tokenizer` */
export function mergePairs(tokenizer: JsonObject): [left: string, right: string][] {
  return list(field(tokenizer.get("model"), "merges")).map((merge) => {
    const space = typeof merge === "string" ? merge.indexOf(" ", 1) : -1;
    const [left, right] = typeof merge === "string" ? [merge.slice(0, space), merge.slice(space + 1)] : list(merge);
    if (typeof left === "string" && typeof right === "string" && (space > 0 || typeof merge !== "string"))
      return [left, right];
    throw bad("a merge must be a string of two tokens, or a pair of tokens");
  });
}

/** The merges as GGUF lists them: two tokens with a space between them, whose own spaces are spelled `Ġ`. */
export function mergeTexts(tokenizer: JsonObject): string[] {
  return mergePairs(tokenizer).map((pair) => pair.map((part) => part.replaceAll(" ", "Ġ")).join(" "));
}
