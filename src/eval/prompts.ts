/**
 * Prompts of a task as lm-eval builds them: a description, examples, and the question.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ChatMessage } from "../chat/template.ts";
import { PythonRandom } from "./python-random.ts";
import { isPythonSpace } from "./python-text.ts";
import { FEWSHOT_DELIMITER, type Row, TARGET_DELIMITER, type Task } from "./task.ts";
import { renderList, renderRow } from "./template.ts";

/** lm-eval's seed for examples. */
const SHOT_SEED = 1234;

export interface PromptOptions {
  /** Examples in each prompt. */
  readonly shots: number;
  /** The rows from which examples come. */
  readonly pool: readonly Row[];
  /** The pool as rows of the task, where none is an example of its own (`fewshot_excludes_row`). */
  readonly poolRows?: readonly Row[] | undefined;
  /** The chat template, where prompts go through it. */
  readonly chat?: Chat | undefined;
}

export interface Chat {
  /** Renders a conversation with the beginning of the assistant's turn. A last turn of the assistant's stays open. */
  render(messages: readonly ChatMessage[]): string;
  /** Whether each example is a turn of the user and one of the assistant; otherwise all stand in the user's turn. */
  readonly shotsAsTurns: boolean;
}

/** A question with its choices, as pairs of a context and what may continue it. */
export interface Choices {
  readonly pairs: readonly (readonly [context: string, continuation: string])[];
  /** Characters of each choice, by which `acc_norm` divides. */
  readonly lengths: readonly number[];
  /** The index of the right choice. */
  readonly target: number;
  /** What `doc_to_target` makes of the row, which stands in the lines of samples. */
  readonly targetText: string;
  /** The indices of the examples in their pool. */
  readonly drawn: readonly number[];
}

/** A question whose answer is generated. */
export interface Question {
  readonly context: string;
  /** The conversation that the context was made of, where it went through a chat template. */
  readonly messages: readonly ChatMessage[] | undefined;
  readonly target: string;
  /** The indices of the examples in their pool. */
  readonly drawn: readonly number[];
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Builds the prompts of one task, row after row: the draws of a row depend on those before it. */
export class Prompts {
  readonly #task: Task;
  readonly #options: PromptOptions;
  readonly #random = new PythonRandom(SHOT_SEED);

  /** @throws NibbleError `bad_value` if the pool has too few rows */
  constructor(task: Task, options: PromptOptions) {
    const needed = options.shots + (options.poolRows && options.shots > 0 ? 1 : 0);
    if (needed > options.pool.length)
      throw new NibbleError(
        "bad_value",
        `${task.task}: expected at least ${needed} rows to take examples from, got ${options.pool.length}`,
      );
    this.#task = task;
    this.#options = options;
  }

  /** @throws NibbleError `template_error`, `bad_value` for a row that the task's templates do not fit */
  choices(row: Row): Choices {
    const task = this.#task;
    const texts = renderList(task.doc_to_choice!, row);
    const drawn = this.#draw(row);
    const lengths = texts.map((text) => [...text].length);
    const delimiter = this.#options.chat ? "" : this.#targetDelimiter;
    const targetText = renderRow(task.doc_to_target, row);
    if (task.multiple_inputs) {
      const end = delimiter + targetText;
      const pairs = texts.map((text) => [this.#prompt(text, drawn, row).context, end] as const);
      return { pairs, lengths, target: this.#index(task.doc_to_text, row, texts), targetText, drawn };
    }
    const { context } = this.#prompt(renderRow(task.doc_to_text, row), drawn, row);
    const pairs = texts.map((text) => [context, delimiter + text] as const);
    return { pairs, lengths, target: this.#index(task.doc_to_target, row, texts), targetText, drawn };
  }

  /** @throws NibbleError `template_error` */
  question(row: Row): Question {
    const { doc_to_text, doc_to_target } = this.#task;
    const drawn = this.#draw(row);
    const prompt = this.#prompt(renderRow(doc_to_text, row), drawn, row);
    return { ...prompt, target: renderRow(doc_to_target, row), drawn };
  }

  #draw(row: Row): readonly number[] {
    const { shots, pool, poolRows } = this.#options;
    if (shots === 0) return [];
    const { fewshot_sampler, fewshot_task_ids: ids = [] } = this.#task;
    const named = ids.map((id) => pool.findIndex(({ task_id }) => task_id === id)).slice(0, shots);
    if (named.length === shots && !named.includes(-1)) return named;
    const isFirst = fewshot_sampler === "first_n";
    if (!poolRows) return isFirst ? range(shots) : this.#random.sample(pool.length, shots);
    // As in lm-eval, one more is drawn and the row removed; where it stands there twice, the others are drawn anew.
    const text = JSON.stringify(row);
    const isOther = (i: number): boolean => JSON.stringify(poolRows[i]) !== text;
    if (isFirst) return range(pool.length).filter(isOther).slice(0, shots);
    const drawn = this.#random
      .sample(pool.length, shots + 1)
      .filter(isOther)
      .slice(0, shots);
    if (drawn.length === shots) return drawn;
    const others = range(pool.length).filter(isOther);
    if (others.length < shots)
      throw new NibbleError("bad_value", `${this.#task.task}: expected ${shots} other rows, got ${others.length}`);
    return this.#random.sample(others.length, shots).map((i) => others[i]!);
  }

  #index(template: string, row: Row, texts: readonly string[]): number {
    const text = renderRow(template, row);
    const index = /^\d+$/.test(text) ? Number(text) : texts.indexOf(text);
    if (index >= 0 && index < texts.length) return index;
    throw new NibbleError("bad_value", `${this.#task.task}: expected one of ${texts.length} choices, got ${text}`);
  }

  /** @param question the question of this row, behind the examples */
  #prompt(question: string, drawn: readonly number[], row: Row): Pick<Question, "context" | "messages"> {
    const { description = "", gen_prefix } = this.#task;
    const { chat, pool } = this.#options;
    const about = renderRow(description, row);
    const shots = drawn.map((i) => this.#shot(pool[i]!));
    const joined = () =>
      shots.map(({ text, delimiter, answer }) => text + delimiter + answer + FEWSHOT_DELIMITER).join("") + question;
    const begun = gen_prefix === undefined ? "" : renderRow(gen_prefix, row);
    if (!chat) return { context: about + joined() + this.#delimiter(question, begun) + begun, messages: undefined };
    const system = about.trim() === "" ? [] : [{ role: "system", content: about.trim() }];
    const turns = chat.shotsAsTurns
      ? shots.flatMap(({ text, answer }) => [
          { role: "user", content: text },
          { role: "assistant", content: answer },
        ])
      : [];
    const content = chat.shotsAsTurns ? question : joined();
    const open = begun === "" ? [] : [{ role: "assistant", content: begun }];
    const messages = [...system, ...turns, { role: "user", content }, ...open];
    return { context: chat.render(messages), messages };
  }

  /** The question and the answer of an example. Its templates see `is_fewshot`, as in the rows that lm-eval's tasks bring. */
  #shot(example: Row): Shot {
    const task = this.#task;
    const row = { ...example, is_fewshot: true };
    const begun = task.gen_prefix === undefined ? "" : renderRow(task.gen_prefix, row);
    const [text, answer] = this.#answered(row);
    const delimiter = begun === "" ? this.#targetDelimiter : this.#delimiter(text, begun);
    return { text, delimiter, answer: begun + (needsSpace(begun, answer) ? " " : "") + answer };
  }

  #answered(row: Row): readonly [text: string, answer: string] {
    const task = this.#task;
    if (!task.doc_to_choice) return [renderRow(task.doc_to_text, row), renderRow(task.doc_to_target, row)];
    const texts = renderList(task.doc_to_choice, row);
    if (task.multiple_inputs)
      return [texts[this.#index(task.doc_to_text, row, texts)]!, renderRow(task.doc_to_target, row)];
    return [renderRow(task.doc_to_text, row), texts[this.#index(task.doc_to_target, row, texts)]!];
  }

  /** What stands between a question and the beginning of its answer: nothing where one of them brings white space. */
  #delimiter(text: string, begun: string): string {
    return needsSpace(text, begun) ? this.#targetDelimiter : "";
  }

  get #targetDelimiter(): string {
    return this.#task.target_delimiter ?? TARGET_DELIMITER;
  }
}

interface Shot {
  readonly text: string;
  readonly delimiter: string;
  readonly answer: string;
}

/** Whether neither of two texts has white space where they meet. */
function needsSpace(before: string, after: string): boolean {
  return before !== "" && after !== "" && !isPythonSpace(before.at(-1)!) && !isPythonSpace(after[0]!);
}
