/**
 * `report.html` in the folder of an evaluation.
 * @module
 */
import { join } from "node:path";
import { collectors, reportPage } from "../../eval/report/report.ts";
import type { Report } from "../../eval/results.ts";
import type { NamedRun } from "../../eval/runs.ts";
import { linesOf, writeText } from "./output.ts";

/**
 * Writes the report from the samples in the folder, which are read line by line: those of MMLU with examples take more than
 * 200 MB.
 * @param models names of the model; the last one is shown
 */
export async function writeReport(
  folder: string,
  models: readonly string[],
  report: Report,
  runs: readonly NamedRun[],
): Promise<void> {
  const tasks = collectors(runs);
  for (const task of tasks) {
    for await (const line of linesOf(join(folder, `samples_${task.name}.jsonl`))) task.add(line);
    task.end();
  }
  await writeText(join(folder, "report.html"), reportPage(models, report, tasks));
}
