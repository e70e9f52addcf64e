/**
 * Tasks of users: files of the shape of `tasks/*.json`.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { Fields } from "../base/fields.ts";
import { isObject } from "../batch/request.ts";
import { compileJinja } from "../chat/jinja/compile.ts";
import { JinjaError } from "../chat/jinja/errors.ts";
import { SAMPLING_RANGES } from "../engine/sample/options.ts";
import { CODE_RULES } from "./code/rules.ts";
import { MATH_RULES } from "./math/rules.ts";
import { DOC_PROCESSES } from "./process-docs.ts";
import type { Task } from "./task.ts";

const TEXTS = [
  "data_name",
  "dataset_path",
  "dataset_name",
  "test_split",
  "fewshot_split",
  "description",
  "subtask_field",
  "fewshot_file",
  "date_field",
  "target_delimiter",
  "gen_prefix",
] as const;
const REQUIRED = ["task", "output_type", "doc_to_text", "doc_to_target"] as const;
const OTHERS = [
  ...["version", "doc_to_choice", "multiple_inputs", "num_fewshot", "fewshot_sampler", "apply_chat_template"],
  ...["process_docs", "fewshot_task_ids", "fewshot_excludes_row", "repeats", "field_aliases"],
] as const;
const ANSWERS = ["metrics", "generation_kwargs", "filter_list", "exact_match", "math_rule", "code_rule"] as const;

/** The metrics that fit a kind of tasks, and how they are named in errors. */
const METRICS = {
  choices: { named: /^acc(_norm)?$/, expected: "acc, acc_norm" },
  texts: { named: /^exact_match$/, expected: "exact_match" },
  programs: { named: /^pass(_at_1|@[1-9]\d{0,3})$/, expected: "pass@1, pass@10 and the like" },
};

/**
 * Checks a task from JSON.
 * @param name the file, for errors
 * @throws NibbleError `bad_value` that names the key
 */
export function readTask(value: unknown, name: string): Task {
  const fields = new Fields(value, [...REQUIRED, ...TEXTS, ...OTHERS, ...ANSWERS], name, "bad_value");
  for (const key of [...REQUIRED, ...TEXTS]) fields.string(key, 2 ** 16);
  for (const key of REQUIRED) if (fields.get(key) === undefined) throw fields.invalid(key, "text", undefined);
  const type = fields.oneOf("output_type", ["multiple_choice", "generate_until"])!;
  fields.number("version", { min: 0 });
  fields.number("num_fewshot", { min: 0, max: 1024, integer: true });
  fields.number("repeats", { min: 1, max: 1024, integer: true });
  fields.boolean("fewshot_excludes_row");
  fields.boolean("multiple_inputs");
  fields.boolean("apply_chat_template");
  fields.oneOf("fewshot_sampler", ["first_n"]);
  const ids = fields.array("fewshot_task_ids", 1024) ?? [];
  if (!ids.every((id) => typeof id === "number")) throw fields.invalid("fewshot_task_ids", "numbers", ids);
  const aliases: unknown = fields.get("field_aliases") ?? {};
  const isName = (one: unknown): boolean => typeof (isObject(one) ? one.boxed : one) === "string";
  const areNames = (names: unknown): boolean => Array.isArray(names) && names.every(isName);
  if (typeof aliases !== "object" || aliases === null || !Object.values(aliases).every(areNames))
    throw fields.invalid(
      "field_aliases",
      'an object with lists of names, or of { "boxed": name } for answers in a box',
      aliases,
    );
  fields.oneOf("process_docs", Object.keys(DOC_PROCESSES));
  const choices = fields.get("doc_to_choice");
  const areTexts = Array.isArray(choices) && choices.length > 1 && choices.every((one) => typeof one === "string");
  if (type === "multiple_choice" && typeof choices !== "string" && !areTexts)
    throw fields.invalid("doc_to_choice", "an expression in braces, or two or more templates", choices);
  checkAnswers(fields, type);
  for (const key of ["description", "doc_to_text", "doc_to_target", "gen_prefix"]) checkTemplate(fields, key);
  return { version: 0, dataset_path: "", test_split: "test", ...(value as object) } as Task;
}

function checkAnswers(fields: Fields, type: Task["output_type"]): void {
  const metrics = fields.array("metrics", 16);
  const rule = fields.oneOf("code_rule", Object.keys(CODE_RULES));
  const kind = type === "multiple_choice" ? "choices" : rule === undefined ? "texts" : "programs";
  const { named, expected } = METRICS[kind];
  if (!metrics || metrics.length === 0 || metrics.some((metric) => typeof metric !== "string" || !named.test(metric)))
    throw fields.invalid("metrics", `some of ${expected}`, metrics);
  const generation = fields.get("generation_kwargs");
  if (type === "generate_until") {
    const keys = ["until", "max_gen_toks", "do_sample", "temperature", "top_p"];
    const nested = fields.nested(generation ?? {}, keys, "generation_kwargs");
    if (!nested.array("until", 16)?.every((text) => typeof text === "string"))
      throw nested.invalid("until", "at most 16 texts", nested.get("until"));
    nested.number("max_gen_toks", { min: 1, integer: true });
    nested.boolean("do_sample");
    nested.number("temperature", SAMPLING_RANGES.temperature);
    nested.number("top_p", { above: 0, max: 1 });
  }
  for (const [i, filter] of (fields.array("filter_list", 16) ?? []).entries()) {
    const nested = fields.nested(filter, ["name", "regex", "match"], `filter_list[${i}]`);
    if (nested.string("name", 64) === undefined) throw nested.invalid("name", "text", undefined);
    checkRegex(nested, "regex", nested.get("regex"));
    nested.oneOf("match", ["first", "last"]);
  }
  fields.oneOf("math_rule", Object.keys(MATH_RULES));
  const exact = fields.nested(fields.get("exact_match") ?? {}, ["ignore_case", "regexes_to_ignore"], "exact_match");
  exact.boolean("ignore_case");
  for (const regex of exact.array("regexes_to_ignore", 16) ?? []) checkRegex(exact, "regexes_to_ignore", regex);
}

function checkRegex(fields: Fields, key: string, value: unknown): void {
  try {
    if (typeof value === "string") return void new RegExp(value, "gu");
  } catch {
    // The error below names the key.
  }
  throw fields.invalid(key, "a regular expression of JavaScript", value);
}

function checkTemplate(fields: Fields, key: string): void {
  const template = fields.string(key, 2 ** 16);
  if (template === undefined) return;
  try {
    compileJinja(template);
  } catch (error) {
    if (!(error instanceof JinjaError)) throw error;
    throw new NibbleError("template_error", `${fields.param(key)}: ${error.message}`);
  }
}
