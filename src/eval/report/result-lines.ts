/**
 * The results of an evaluation, one line per task, metric and filter.
 * @module
 */
import { cardFigure } from "../card.ts";
import { isMean, type Report } from "../results.ts";

export interface ResultLine {
  readonly task: string;
  /** `part`: one of the tasks that a task falls into by a field of its rows, such as a subject of MMLU. */
  readonly kind: "task" | "part";
  readonly metric: string;
  readonly filter: string;
  readonly value: number;
  /** The standard error; undefined where there are too few rows. */
  readonly stderr: number | undefined;
  /** Undefined for a mean of several tasks. */
  readonly rows: number | undefined;
  readonly shots: number | undefined;
  /** The figure of MobileLLM-R1's model card, as a share, where the model is one of its rows. */
  readonly card: number | undefined;
}

/**
 * @param parts the names of results that are parts of others
 * @param models names of the model, by which its figures are found in the model card
 */
export function resultLines(
  report: Report,
  parts: ReadonlySet<string>,
  models: readonly string[],
): readonly ResultLine[] {
  return Object.entries(report.results).flatMap(([task, values]) =>
    Object.keys(values)
      .filter((key) => isMean(key) && typeof values[key] === "number")
      .map((key): ResultLine => {
        const [metric, filter] = key.split(",") as [string, string];
        const error = values[`${metric}_stderr,${filter}`];
        return {
          ...{ task, metric, filter, kind: parts.has(task) ? "part" : "task" },
          value: values[key] as number,
          stderr: typeof error === "number" ? error : undefined,
          rows: report["n-samples"][task]?.effective,
          shots: report["n-shot"][task],
          card: cardFigure(models, task, metric),
        };
      }),
  );
}

/** What a line is called: its filter is named where the task has several, or one with a name. */
export function lineName({ metric, filter }: Pick<ResultLine, "metric" | "filter">): string {
  return filter === "none" ? metric : `${metric}, ${filter}`;
}
