/**
 * The table of an evaluation for people.
 * @module
 */
import { cardFigure } from "../../eval/card.ts";
import { isMean, type Report, type TaskResults } from "../../eval/results.ts";

const HEAD = ["task", "rows", "shots", "metric", "filter", "value", "error", "95 %", "card"];

/**
 * A line per result: task, metric, filter, mean and standard error; where there are several answers to each question, the
 * interval of their mean; and the figure of MobileLLM-R1's model card where the model is one of its rows.
 * @param models the model's names
 */
export function table({ results, "n-shot": shots, "n-samples": samples }: Report, models: readonly string[]): string {
  const lines = Object.entries(results).flatMap(([name, values]) =>
    Object.keys(values)
      .filter((key) => isMean(key) || key.startsWith("undecided,"))
      .map((key) => {
        const [metric, filter] = key.split(",") as [string, string];
        const facts = [String(samples[name]?.effective ?? ""), String(shots[name] ?? ""), metric, filter];
        const card = cardFigure(models, name, metric)?.toFixed(3) ?? "";
        return [name, ...facts, ...figures(values, metric, filter), card];
      }),
  );
  const shown = HEAD.map((_, i) => i < HEAD.indexOf("95 %") || lines.some((line) => line[i] !== ""));
  const rows = [HEAD, ...lines].map((line) => line.filter((_, i) => shown[i]));
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const text = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  "));
  return text.map((line) => `${line.trimEnd()}\n`).join("");
}

/** The value, its standard error, and its interval. */
function figures(values: TaskResults, metric: string, filter: string): readonly [string, string, string] {
  const [value, error, low, high] = ["", "_stderr", "_ci95_low", "_ci95_high"].map((end) => {
    const one = values[`${metric}${end},${filter}`];
    return typeof one !== "number" ? "" : metric === "undecided" ? String(one) : one.toFixed(4);
  }) as [string, string, string, string];
  return [value, error, low === "" ? "" : `${low} to ${high}`];
}
