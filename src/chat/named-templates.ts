/**
 * Models with several chat templates: which one a request uses, by the rules of transformers' `get_chat_template`.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { NAMED_TEMPLATES } from "./fallback.ts";

/** Jinja sources by name. The only template of a model is named "default". */
export type NamedTemplates = ReadonlyMap<string, string>;

/** The name of a template that is made for requests with tools. */
const TOOL_USE = "tool_use";
const DEFAULT = "default";

/**
 * The name of the template for a request: `tool_use` if the request has tools and the model has such a template, else
 * `default`.
 * @throws NibbleError `template_error` if the model has no template of that name
 */
export function templateName(templates: NamedTemplates, hasTools: boolean): string {
  const name = hasTools && templates.has(TOOL_USE) ? TOOL_USE : DEFAULT;
  if (templates.has(name)) return name;
  const names = [...templates.keys()].sort().join(", ");
  throw new NibbleError(
    "template_error",
    `the model's chat templates have names (${names}), and none is the default: load the model with chatTemplate: NAME`,
  );
}

/**
 * One template in place of all others, used with tools and without.
 * @param choice the name of one of the model's templates, the name of a turn format (such as "chatml"), or Jinja source
 * @throws NibbleError `invalid_argument` for a name that is neither
 */
export function chooseTemplate(templates: NamedTemplates, choice: string): NamedTemplates {
  const named = templates.get(choice) ?? NAMED_TEMPLATES.get(choice);
  if (named === undefined && !choice.includes("{")) {
    const names = [...templates.keys(), ...NAMED_TEMPLATES.keys()].sort().join(", ");
    throw new NibbleError(
      "invalid_argument",
      `chatTemplate: expected one of ${names}, or Jinja source, got ${JSON.stringify(choice)}`,
      { param: "chatTemplate" },
    );
  }
  return new Map([[DEFAULT, named ?? choice]]);
}
