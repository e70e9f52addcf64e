/**
 * llama-server's /infill: the text of a gap (fill in the middle), with the fields and answers of /completion.
 * @module
 */
import type { FieldTable } from "../../base/field-table.ts";
import { checkNumber, Fields } from "../../base/fields.ts";
import type { InfillFile } from "../../engine/infill.ts";
import type { Completion } from "../../engine/openai/completion-types.ts";
import { MAX_TOKENS } from "../../engine/request/common.ts";
import type { Prepared } from "../answer.ts";
import type { Body } from "../body.ts";
import type { Call } from "../call.ts";
import { withDefaults } from "../defaults.ts";
import { renameParam } from "../errors.ts";
import { tokenizePrompt } from "../tokenize.ts";
import { prepareRequest } from "./completion/endpoint.ts";
import { NATIVE_COMPLETION_FIELDS, nativeRequest } from "./completion/request.ts";

export const INFILL_FIELDS: FieldTable = {
  ...NATIVE_COMPLETION_FIELDS,
  known: ["input_prefix", "input_suffix", "input_extra", ...NATIVE_COMPLETION_FIELDS.known],
};
/** Editors send the time of a chunk, too. */
export const INFILL_EXTRA_FIELDS: FieldTable = { known: ["filename", "text"], unused: ["time"] };
const MAX_EXTRA = 1024;

/** The library's names of the fields. */
const NAMES = [
  [/^begun\b/, "prompt"],
  [/^prefix\b/, "input_prefix"],
  [/^suffix\b/, "input_suffix"],
  [/^files\b/, "input_extra"],
] as const;

/** @throws NibbleError that names the field; `not_supported` for a model that cannot fill gaps */
export async function prepareInfill(call: Call, signal: AbortSignal): Promise<Prepared<Completion>> {
  const { model, body, exchange } = call;
  const fields = new Fields(body, INFILL_FIELDS, "", exchange.rules);
  const ids = readGap(call, fields);
  const prompt = { ids, text: model.detokenize(ids, { skipSpecial: false }) };
  return prepareRequest(call, nativeRequest(fields, { prompts: [prompt], several: false }), signal);
}

/** The prompt, which leaves room for as many tokens as the request or the server's defaults say. */
function readGap(call: Call, fields: Fields): number[] {
  const { max_tokens: openai, n_predict: llama } = withDefaults(call.body as Body, call);
  const most = openai ?? llama ?? -1;
  const maxTokens = checkNumber(openai === undefined ? "n_predict" : "max_tokens", most, MAX_TOKENS);
  const [prefix, suffix] = [readSide(call, fields, "input_prefix"), readSide(call, fields, "input_suffix")];
  const options = {
    begun: fields.string("prompt", Infinity),
    files: readExtra(fields),
    ...(maxTokens >= 0 && { maxTokens }),
  };
  try {
    return call.model.infillPrompt(prefix, suffix, options);
  } catch (error) {
    throw renameParam(error, NAMES);
  }
}

/** A text, token ids, or both mixed. */
function readSide({ model }: Call, fields: Fields, key: string): string | number[] {
  const value = fields.get(key);
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) throw fields.invalid(key, "a string, token ids, or both mixed", value);
  return value.flatMap((part, i) => {
    const place = `${key}[${i}]`;
    if (typeof part === "string") return tokenizePrompt(model, part, place, { special: false, addBos: false });
    const range = { min: 0, max: model.info.vocabSize - 1, integer: true };
    return [checkNumber(fields.param(place), part ?? null, range)];
  });
}

function readExtra(fields: Fields): InfillFile[] {
  return (fields.array("input_extra", MAX_EXTRA) ?? []).map((chunk, i) => {
    const inner = fields.nested(chunk, INFILL_EXTRA_FIELDS, `input_extra[${i}]`);
    const text = inner.string("text", Infinity);
    if (text === undefined) throw inner.invalid("text", "a string", text);
    return { filename: inner.string("filename", Infinity), text };
  });
}
