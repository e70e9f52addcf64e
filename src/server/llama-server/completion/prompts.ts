/**
 * The prompts of llama-server's /completion: texts, token ids, both mixed, objects, and lists of them.
 * @module
 */
import type { FieldTable } from "../../../base/field-table.ts";
import { checkNumber, type Fields, invalid } from "../../../base/fields.ts";
import type { Model } from "../../../engine/model.ts";

const OBJECT: FieldTable = {
  known: ["prompt_string"],
  unsupported: {
    multimodal_data: {
      instead: "send text, which is all that the models here read",
      neutral: (value) => Array.isArray(value) && value.length === 0,
    },
  },
};
const MAX_PROMPTS = 256;

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

/** @throws NibbleError `invalid_request` that names the field */
export function readPrompts(fields: Fields, model: Model): Prompts {
  const given = fields.get("prompt");
  if (!Array.isArray(given) || isOnePrompt(given))
    return { prompts: [readPrompt(fields, given, model)], several: false };
  if (given.length > MAX_PROMPTS) throw fields.invalid("prompt", `at most ${MAX_PROMPTS} prompts`, given);
  const prompts = Array.from(given, (one, i) => readPrompt(fields, one, model, `prompt[${i}]`));
  return { prompts, several: prompts.length > 1 };
}

/** Token ids, or ids and texts mixed. A list of texts alone is a list of prompts. */
function isOnePrompt(list: readonly unknown[]): boolean {
  return list.some((one) => typeof one === "number") && list.every((one) => ["number", "string"].includes(typeof one));
}

function readPrompt(fields: Fields, value: unknown, model: Model, place = "prompt"): Prompt {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const inner = fields.nested(value, OBJECT, place);
    const text = inner.string("prompt_string", Infinity);
    if (text === undefined) throw inner.invalid("prompt_string", "a string", text);
    return ofText(text, model);
  }
  if (typeof value === "string") return ofText(value, model);
  const what = "a string, token ids, or both mixed";
  if (!Array.isArray(value)) throw fields.invalid(place, what, value);
  // Only a text at the beginning gets the BOS token.
  const ids = value.flatMap((part, i) => readPart(fields, part, { model, place: `${place}[${i}]`, first: i === 0 }));
  return { ids, text: model.detokenize(ids, { skipSpecial: false }) };
}

interface Part {
  readonly model: Model;
  readonly place: string;
  readonly first: boolean;
}

function readPart(fields: Fields, part: unknown, { model, place, first }: Part): number[] {
  if (typeof part === "string") return model.tokenize(part, first ? {} : { addBos: false });
  if (typeof part !== "number") throw invalid(fields.param(place), "a token id or a string", part ?? null);
  return [checkNumber(fields.param(place), part, { min: 0, max: model.info.vocabSize - 1, integer: true })];
}

function ofText(text: string, model: Model): Prompt {
  return { ids: model.tokenize(text), text };
}
