/**
 * Checks of the arguments of the model's smaller calls. All throw NibbleError `invalid_argument` with `param`.
 * @module
 */
import { checkSignal, type FieldRules, Fields, invalid } from "../../base/fields.ts";
import type { EncodeOptions } from "../../tokenizer/types.ts";

/** Messages may have any role and any fields, since the template decides what it reads. */
export function checkTemplateArguments(messages: unknown, options: unknown): void {
  const isMessage = (message: unknown): boolean =>
    typeof message === "object" && message !== null && typeof (message as { role?: unknown }).role === "string";
  if (!Array.isArray(messages) || !messages.every(isMessage))
    throw invalid("messages", "an array of objects with a role", messages, "invalid_argument");
  const fields = new Fields(options, ["addGenerationPrompt", "tools", "variables", "now"], "", "invalid_argument");
  fields.boolean("addGenerationPrompt");
  fields.array("tools", Infinity);
  const [variables, time] = [fields.get("variables"), fields.get("now")];
  if (variables !== undefined && typeof variables !== "object")
    throw fields.invalid("variables", "an object", variables);
  if (time !== undefined && !(time instanceof Date && !Number.isNaN(time.getTime())))
    throw fields.invalid("now", "a valid Date", time);
}

/** Options whose values are all true or false; null counts as absent. */
export function checkFlags<Name extends string>(
  options: unknown,
  names: readonly Name[],
): { readonly [name in Name]?: boolean } {
  const fields = new Fields(options ?? {}, names, "", "invalid_argument");
  const given = names.filter((name) => fields.boolean(name) !== undefined);
  return Object.fromEntries(given.map((name) => [name, fields.get(name)])) as { [name in Name]?: boolean };
}

/** The options of `model.tokenize`; null counts as absent. */
export function checkTokenizeOptions(options: unknown): EncodeOptions & { complete?: boolean } {
  const names = ["special", "addBos", "complete"] as const;
  const fields = new Fields(options ?? {}, [...names, "limit"], "", "invalid_argument");
  const limit = fields.number("limit", { min: 0 });
  const flags = names.map((name) => [name, fields.boolean(name)] as const).filter(([, flag]) => flag !== undefined);
  return { ...Object.fromEntries(flags), ...(limit !== undefined && { limit }) };
}

/** The second argument of a call. Its signal takes precedence over one in the body. */
export interface CallOptions {
  readonly signal: { readonly signal?: AbortSignal };
  /** The rules for unknown fields of the body. */
  readonly rules: FieldRules;
}

export function checkCallOptions(options: unknown): CallOptions {
  const fields = new Fields(options ?? {}, ["signal", "onUnknownField"], "", "invalid_argument");
  const signal = checkSignal(fields);
  const onUnknown = fields.get("onUnknownField");
  if (onUnknown !== undefined && typeof onUnknown !== "function")
    throw fields.invalid("onUnknownField", "a function", onUnknown);
  return { signal: signal ? { signal } : {}, rules: { onUnknown: onUnknown as FieldRules["onUnknown"] } };
}
