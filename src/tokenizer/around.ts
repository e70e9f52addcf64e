/**
 * The tokens that a model's files put around a text, or around two texts that are read as a pair.
 * @module
 */
import type { Json, JsonObject } from "../base/json.ts";
import { isObject } from "../base/json.ts";
import { bad, components, listAt } from "./huggingface-json.ts";

export interface Around {
  /** In front of a text. */
  readonly before: readonly number[];
  /** Behind a text that is complete, such as one that is embedded; a prompt that is to be continued does not get them. */
  readonly after: readonly number[];
  /** The same of two texts, such as a question and a document. */
  readonly pair: {
    readonly before: readonly number[];
    readonly between: readonly number[];
    readonly after: readonly number[];
  };
}

/** The same tokens before and after each of two texts, as llama.cpp puts them. */
export function symmetric(before: readonly number[], after: readonly number[], separator: readonly number[]): Around {
  return { before, after, pair: { before, between: [...after, ...separator], after } };
}

type IdOf = (content: Json | undefined) => number | undefined;

/**
 * The post_processor of a tokenizer.json: TemplateProcessing, or the older BertProcessing and RobertaProcessing.
 * @throws NibbleError `bad_tokenizer`
 */
export function aroundOf(tokenizer: JsonObject, idOf: IdOf): Around {
  let around = symmetric([], [], []);
  const token = (content: Json | undefined): number => {
    const id = idOf(content);
    if (id === undefined) throw bad("post_processor", "a token of the vocabulary", content ?? null);
    return id;
  };
  for (const part of components(tokenizer.get("post_processor") ?? null, "processors")) {
    const type = part.get("type") ?? null;
    if (type === "ByteLevel") continue;
    if (type === "TemplateProcessing") around = templateTokens(part, token);
    else if (type === "BertProcessing" || type === "RobertaProcessing") {
      const id = (key: string): number[] => [token(listAt(part, key)[0])];
      // RoBERTa has two separators between texts.
      around = symmetric(id("cls"), id("sep"), type === "RobertaProcessing" ? id("sep") : []);
    } else throw bad("post_processor", "ByteLevel, TemplateProcessing or BertProcessing", type);
  }
  return around;
}

function templateTokens(part: JsonObject, token: (content: Json | undefined) => number): Around {
  const [before = [], after = []] = pieces(listAt(part, "single"), token);
  const [first = before, between = after, last = after] = pieces(listAt(part, "pair"), token);
  return { before, after, pair: { before: first, between, after: last } };
}

/** The ids before, between and after the sequences of a template. */
function pieces(items: readonly Json[], token: (content: Json | undefined) => number): number[][] {
  if (items.length === 0) return [];
  const lists: number[][] = [[]];
  for (const item of items) {
    const special = isObject(item) ? item.get("SpecialToken") : undefined;
    if (isObject(special)) lists.at(-1)!.push(token(special.get("id")));
    else lists.push([]);
  }
  return lists;
}
