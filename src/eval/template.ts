/**
 * Templates of tasks.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { asText, bind } from "../chat/jinja/arguments.ts";
import { type CompiledJinja, compileJinja } from "../chat/jinja/compile.ts";
import { fromJavaScript } from "../chat/jinja/convert.ts";
import { JinjaError } from "../chat/jinja/errors.ts";
import { Callable, type Value } from "../chat/jinja/values.ts";
import { DOC_PROCESSES } from "./process-docs.ts";
import type { Row, Task } from "./task.ts";

/** `regex_replace(text, pattern, by)`: lm-eval has it for the clean-up of HellaSwag's texts. */
const REGEX_REPLACE = new Callable("regex_replace", (args) => {
  const [text, pattern, by] = bind("regex_replace", "text pattern by", args).map((value) => asText(value!));
  return text!.replace(new RegExp(pattern!, "gu"), () => by!);
});

/** The templates of tasks are few, and each is rendered for every row. */
const compiled = new Map<string, CompiledJinja>();

/** @throws JinjaError */
function compile(template: string): CompiledJinja {
  const known = compiled.get(template) ?? compileJinja(template, { trimBlocks: false });
  compiled.set(template, known);
  return known;
}

/**
 * Renders a template over a row. Line breaks behind blocks and at its end stay, as in lm-eval.
 * @throws NibbleError `template_error`
 */
export function renderRow(template: string, row: Row): string {
  const variables = new Map<string, Value>([["regex_replace", REGEX_REPLACE]]);
  for (const [name, value] of Object.entries(row)) variables.set(name, fromJavaScript(value));
  try {
    return compile(template).render(variables) + (template.endsWith("\n") ? "\n" : "");
  } catch (error) {
    if (!(error instanceof JinjaError)) throw error;
    throw new NibbleError("template_error", `the task's template ${JSON.stringify(template)}: ${error.message}`);
  }
}

/** Names that templates read and that are no fields. */
const FUNCTIONS = new Set(["regex_replace", "range", "dict", "lipsum", "cycler", "joiner", "namespace"]);

/**
 * The fields that every row of a task must have, in the order in which its templates read them. Templates with statements,
 * or that ask whether a field is there, may do without.
 */
export function fieldsOf(task: Task): string[] {
  const { description = "", doc_to_text, doc_to_choice = [], doc_to_target, subtask_field, process_docs } = task;
  const choices = typeof doc_to_choice === "string" ? [doc_to_choice] : doc_to_choice;
  const templates = [description, doc_to_text, ...choices, doc_to_target];
  const certain = templates.filter((template) => !/\{%|defined\b|\bdefault\b/.test(template));
  const { reads = [], makes = [] } = process_docs ? DOC_PROCESSES[process_docs] : {};
  const names = [...reads, ...certain.flatMap((template) => [...compile(template).names]), subtask_field];
  const isRead = (name: string | undefined): name is string =>
    name !== undefined && !FUNCTIONS.has(name) && !makes.includes(name);
  return [...new Set(names.filter(isRead))];
}

/** The texts of a list: `{{ expression }}` whose value is a list, or a template for each. */
export function renderList(templates: string | readonly string[], row: Row): string[] {
  if (typeof templates !== "string") return templates.map((template) => renderRow(template, row));
  const expression = templates.replace(/^\s*\{\{|\}\}\s*$/g, "");
  const list: unknown = JSON.parse(renderRow(`{{ (${expression}) | tojson }}`, row));
  if (Array.isArray(list) && list.length > 0 && list.every((text) => typeof text === "string")) return list;
  throw new NibbleError("template_error", `the task's choices ${JSON.stringify(templates)}: expected a list of texts`);
}
