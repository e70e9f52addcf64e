/**
 * What the report shows of a task, taken from the lines of its `samples_<task>.jsonl` one after the other, so that a file
 * of any size can be read.
 * @module
 */
import type { Task } from "../task.ts";
import { readFields, type SampleFields } from "./sample-fields.ts";
import { type WrongRow, wrongRow } from "./wrong-row.ts";

/** The score of a row, and the length of its answer. */
export interface RowFacts {
  /** Between 0 and 1: the first metric, by the filter that scores highest. */
  readonly score: number;
  /** Characters of the generated text; of several texts their mean. Undefined where the answer was chosen. */
  readonly length: number | undefined;
}

export class TaskFacts {
  /** The name under which results are reported, such as `mmlu_anatomy`. */
  readonly name: string;
  /** The name of the task that it is a part of. */
  readonly of: string;
  readonly rows: RowFacts[] = [];
  /** Rows that some filter does not count as right. */
  wrongCount = 0;
  readonly #task: Task;
  readonly #most: number;
  #wrong: WrongRow[] = [];
  #row: SampleFields[] = [];
  #choices = 0;

  /** @param most how many wrong rows are kept to be read */
  constructor({ name, of, task }: { readonly name: string; readonly of: string; readonly task: Task }, most: number) {
    this.name = name;
    this.of = of;
    this.#task = task;
    this.#most = most;
  }

  /** Reads a line. The lines of a row, one per filter, follow each other. A line that is no sample is passed over. */
  add(line: string): void {
    const fields = readFields(line);
    if (!fields) return;
    if (this.#row.length > 0 && this.#row[0]!.id !== fields.id) this.#endRow();
    this.#row.push(fields);
  }

  /** To be called after the last line. */
  end(): void {
    if (this.#row.length > 0) this.#endRow();
  }

  /** The worst rows first, and of equals in the order of the data. */
  get wrong(): readonly WrongRow[] {
    return this.#wrong;
  }

  /** The share of right answers that guessing would give, where there are choices. */
  get chance(): number | undefined {
    return this.#task.output_type === "multiple_choice" ? this.#choices / this.rows.length : undefined;
  }

  #endRow(): void {
    const row = this.#row;
    this.#row = [];
    const [{ texts, choices }] = row as [SampleFields];
    const scores = row.map(({ metrics }) => metrics[0]?.value ?? 0);
    const length =
      texts.length === 0 ? undefined : texts.reduce((sum, text) => sum + characters(text), 0) / texts.length;
    this.rows.push({ score: Math.max(...scores), length });
    if (choices.length > 0) this.#choices += 1 / choices.length;
    if (scores.every((score) => score >= 1)) return;
    this.wrongCount++;
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    this.#keep({ best: Math.max(...scores), mean, row });
  }

  #keep({
    best,
    mean,
    row,
  }: {
    readonly best: number;
    readonly mean: number;
    readonly row: readonly SampleFields[];
  }): void {
    const after = this.#wrong.findIndex((one) => one.best > best || (one.best === best && one.mean > mean));
    const place = after < 0 ? this.#wrong.length : after;
    if (place >= this.#most) return;
    this.#wrong.splice(place, 0, { best, mean, ...wrongRow(this.#task, row) });
    this.#wrong = this.#wrong.slice(0, this.#most);
  }
}

/** The number of code points; `[...text].length` without its memory. */
function characters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}
