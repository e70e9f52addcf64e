/**
 * Prompts as llama-server takes them: texts, token ids, both mixed, objects, and lists of them.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import { checkNumber, type Fields, invalid } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";
import { tokenizePrompt } from "../tokenize.ts";

const OBJECT: FieldTable = {
  known: ["prompt_string", "content"],
  unsupported: {
    multimodal_data: {
      instead: "send text, which is all that the models here read",
      neutral: (value) => Array.isArray(value) && value.length === 0,
    },
  },
};
const MAX_PARTS = 1024;

/** One prompt as token ids, and as the text that the answer repeats. */
export interface Prompt {
  readonly ids: readonly number[];
  readonly text: string;
}

export interface Prompts {
  readonly prompts: readonly Prompt[];
  /** Whether the body has a list of prompts, so that the answer is a list. */
  readonly several: boolean;
}

/**
 * @param place the field that has them, the most prompts that it may have, and whether they are complete: then they end
 *   with the token that the model's files put behind a text
 * @throws NibbleError `invalid_request` that names the field
 */
export function readPrompts(fields: Fields, model: Model, place: Place): Prompts {
  const { key, most, complete: addEos = false } = place;
  const given = fields.get(key);
  const read: Read = { model, addEos };
  if (!Array.isArray(given) || isOnePrompt(given))
    return { prompts: [readPrompt(fields, given, read, key)], several: false };
  if (given.length === 0 || given.length > most) throw fields.invalid(key, `1 to ${most} prompts`, given);
  const prompts = Array.from(given, (one, i) => readPrompt(fields, one, read, `${key}[${i}]`));
  return { prompts, several: prompts.length > 1 };
}

interface Place {
  readonly key: string;
  readonly most: number;
  readonly complete?: boolean;
}

interface Read {
  readonly model: Model;
  /** Whether a text at the end gets the token behind it. */
  readonly addEos: boolean;
}

/** Token ids, or ids and texts mixed. A list of texts alone is a list of prompts. */
function isOnePrompt(list: readonly unknown[]): boolean {
  return list.some((one) => typeof one === "number") && list.every((one) => ["number", "string"].includes(typeof one));
}

function readPrompt(fields: Fields, value: unknown, read: Read, place: string): Prompt {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return ofText(readObject(fields.nested(value, OBJECT, place)), read, place);
  if (typeof value === "string") return ofText(value, read, place);
  const what = "a string, token ids, or both mixed";
  if (!Array.isArray(value)) throw fields.invalid(place, what, value);
  // Only a text at the beginning gets the BOS token.
  const ids = value.flatMap((part, i) => {
    const last = i === value.length - 1;
    return readPart(fields, part, { ...read, place: `${place}[${i}]`, first: i === 0, last });
  });
  return { ids, text: read.model.detokenize(ids, { skipSpecial: false }) };
}

/** `{ prompt_string }`, or `{ content }` with the parts of a message. */
function readObject(inner: Fields): string {
  if (inner.get("content") !== undefined) return readParts(inner);
  const text = inner.string("prompt_string", Infinity);
  if (text === undefined) throw inner.invalid("prompt_string", "a string", text);
  return text;
}

function readParts(inner: Fields): string {
  const parts = inner.array("content", MAX_PARTS) ?? [];
  const texts = parts.map((part, i) => {
    const fields = inner.nested(part, ["type", "text"], `content[${i}]`);
    fields.oneOf("type", ["text"]);
    return fields.string("text", Infinity) ?? "";
  });
  return texts.join("");
}

interface Part extends Read {
  readonly place: string;
  readonly first: boolean;
  readonly last: boolean;
}

function readPart(fields: Fields, part: unknown, { model, addEos, place, first, last }: Part): number[] {
  if (typeof part === "string")
    return tokenizePrompt(model, part, place, { complete: addEos && last, ...(!first && { addBos: false }) });
  if (typeof part !== "number") throw invalid(fields.param(place), "a token id or a string", part ?? null);
  return [checkNumber(fields.param(place), part, { min: 0, max: model.info.vocabSize - 1, integer: true })];
}

function ofText(text: string, { model, addEos }: Read, place: string): Prompt {
  return { ids: tokenizePrompt(model, text, place, { complete: addEos }), text };
}
