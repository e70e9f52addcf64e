/**
 * A benchmark as data. The keys are those of lm-eval's task files, so that a task of lm-eval translates line by line.
 * Templates are Jinja2 over the fields of a row of the data set.
 * @module
 */

import type { CodeRule } from "./code/rules.ts";
import type { Alias } from "./field-aliases.ts";
import type { MathRule } from "./math/rules.ts";
import type { DocProcessName } from "./process-docs.ts";

export type { Row } from "./row.ts";

export interface Task {
  readonly task: string;
  readonly version: number;
  /** The name of its local files without the ending, such as `gsm8k` for all variants of GSM8K (default: the task's). */
  readonly data_name?: string;
  /** The data set's repository on the hub. */
  readonly dataset_path: string;
  /** The data set's configuration, where it has several. */
  readonly dataset_name?: string;
  readonly test_split: string;
  /** The split from which the examples of a prompt are drawn. */
  readonly fewshot_split?: string;
  /** What copies of the data set call a field that the templates read, or the text whose last `\\boxed{...}` holds it. */
  readonly field_aliases?: Readonly<Record<string, readonly Alias[]>>;
  readonly output_type: "multiple_choice" | "generate_until";
  /** The `task_id` of the rows that are examples, in their order. Of a pool without these rows, the first ones are. */
  readonly fewshot_task_ids?: readonly number[];
  /** Template of a text before the examples. */
  readonly description?: string;
  /** Template of the question. With `multiple_inputs`: of the index of the right context. */
  readonly doc_to_text: string;
  /** Template of the answer; of its index where there are choices. With `multiple_inputs`: of what every context ends in. */
  readonly doc_to_target: string;
  /** What stands between a question and its answer (default: a space). */
  readonly target_delimiter?: string;
  /** Template of the beginning of the model's answer, which it continues. It is also the beginning of the examples' answers. */
  readonly gen_prefix?: string;
  /** The choices: templates of each, or an expression in braces whose value is their list. */
  readonly doc_to_choice?: string | readonly string[];
  /** Whether the choices are contexts of one continuation, as in WinoGrande. */
  readonly multiple_inputs?: boolean;
  /** Whether prompts always go through the chat template. */
  readonly apply_chat_template?: boolean;
  /** Examples of a prompt, where the caller does not say (default 0). */
  readonly num_fewshot?: number;
  /** How examples are taken from their split: drawn (default), or the first ones. */
  readonly fewshot_sampler?: "first_n";
  /**
   * Whether one example more is drawn, and the row itself removed from them (default: where the examples come from the rows
   * of the task). lm-eval does so where its `fewshot_split` equals its `test_split`, and so for tasks that name neither.
   */
  readonly fewshot_excludes_row?: boolean;
  /** The file with fixed examples, below the folder `tasks` of lm-eval, from which `--fewshot-from` takes them. */
  readonly fewshot_file?: string;
  /** What is made of each row before its prompt is built. */
  readonly process_docs?: DocProcessName;
  /** The name of the field by whose value the rows fall into tasks of their own, as MMLU's subjects do. */
  readonly subtask_field?: string;
  /** The name of the field with the date of a row, by which `--start-date` and `--end-date` choose rows. */
  readonly date_field?: string;
  /** The scores that are reported. */
  readonly metrics: readonly Metric[];
  /** How an answer is generated. */
  readonly generation_kwargs?: Generation;
  /** Answers to each question (default 1). Their scores are averaged. */
  readonly repeats?: number;
  /** Ways to find the answer in a text, each with results of its own (default: the text as it is). */
  readonly filter_list?: readonly AnswerFilter[];
  /** How `exact_match` compares. */
  readonly exact_match?: ExactMatch;
  /** The rule that finds and compares answers to mathematical problems, in place of filters and `exact_match`. */
  readonly math_rule?: MathRule;
  /** The rule that makes a program of an answer, and runs it with the tests of its row. */
  readonly code_rule?: CodeRule;
}

export type Metric = "acc" | "acc_norm" | "exact_match" | CodeMetric;
/** `pass@k` is the chance that one of k programs is right; `pass_at_1` is lm-eval's other name for `pass@1`. */
export type CodeMetric = `pass@${number}` | "pass_at_1";

export interface Generation {
  /** Texts that end the answer. */
  readonly until: readonly string[];
  /** Most tokens of the answer (default 256). */
  readonly max_gen_toks?: number;
  /** False: the likeliest token comes, whatever the temperature. */
  readonly do_sample?: boolean;
  readonly temperature?: number;
  readonly top_p?: number;
}

/** Regular expressions of tasks are JavaScript's, with the flags `gu`. */
export interface AnswerFilter {
  readonly name: string;
  /** The answer is what the first group of a match that took part holds, or else the match. */
  readonly regex: string;
  /** Which match counts: the first (default) or the last. */
  readonly match?: "first" | "last";
}

export interface ExactMatch {
  readonly ignore_case?: boolean;
  /** What these match is removed from both sides, one after the other. */
  readonly regexes_to_ignore?: readonly string[];
}

/** What lm-eval puts between a question and its answer, and between examples. */
export const TARGET_DELIMITER = " ";
export const FEWSHOT_DELIMITER = "\n\n";
