/**
 * Models with several chat templates, by name: which one is used when, as `get_chat_template` of transformers says it.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

/** Jinja sources by name. A model with a single template has it as "default". */
export type NamedTemplates = ReadonlyMap<string, string>;

/** The template for requests with tools, where there is one. */
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
 * The templates of a model of which one was chosen: by the name of one that it has, or by Jinja source of another one.
 * It is used with tools and without.
 * @throws NibbleError `invalid_argument` for a name that is none of the model's
 */
export function chooseTemplate(templates: NamedTemplates, nameOrSource: string): NamedTemplates {
  const named = templates.get(nameOrSource);
  if (named === undefined && !nameOrSource.includes("{")) {
    const names =
      templates.size > 0 ? `the model has ${[...templates.keys()].sort().join(", ")}` : "the model has none";
    throw new NibbleError(
      "invalid_argument",
      `chatTemplate: expected Jinja source or the name of one of the model's templates (${names}), got ${JSON.stringify(nameOrSource)}`,
      { param: "chatTemplate" },
    );
  }
  return new Map([[DEFAULT, named ?? nameOrSource]]);
}
