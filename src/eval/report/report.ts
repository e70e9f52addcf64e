/**
 * The report of an evaluation as one HTML page that needs no network and no script. It is made of the results and the
 * samples alone, without dates, so that merged shards give the bytes of one run.
 * @module
 */
import type { Report } from "../results.ts";
import type { NamedRun } from "../runs.ts";
import { accuracyBars, resultTable } from "./accuracy.ts";
import { TaskFacts } from "./facts.ts";
import { lengthPlot } from "./length-plot.ts";
import { html, Markup, NOTHING } from "./markup.ts";
import { count } from "./numbers.ts";
import { resultLines } from "./result-lines.ts";
import { PAGE_STYLE, REPORT_STYLE } from "./style.ts";
import { wrongList } from "./wrong-list.ts";

/** Wrong rows that are kept to be read, over all tasks, and the fewest per task. */
const WRONG = { all: 600, least: 5 };
/** Characters of HTML that wrong answers may take, over all tasks. */
const WRONG_CHARACTERS = 2_500_000;

/**
 * Collectors of what the report shows of each run; every line of its samples goes into the collector.
 * @param wrong how many wrong rows are kept over all runs, with at least five per run
 */
export function collectors(
  runs: readonly Pick<NamedRun, "name" | "of" | "task">[],
  wrong: number = WRONG.all,
): readonly TaskFacts[] {
  const most = Math.max(WRONG.least, Math.floor(wrong / runs.length));
  return runs.map((run) => new TaskFacts(run, most));
}

/**
 * The whole page.
 * @param models names of the model, by which its figures are found in the model card; the last one is shown
 * @param tasks the collectors of all tasks, after their last lines
 */
export function reportPage(models: readonly string[], report: Report, tasks: readonly TaskFacts[]): string {
  const title = `Evaluation of ${models.at(-1)!}`;
  // The policy is a second wall behind the escaping of texts: nothing in the page may run or be fetched.
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Markup(PAGE_STYLE + REPORT_STYLE)}</style>
</head>
<body>
<main class="report">
<h1>${title}</h1>
${reportSections(models, report, tasks)}</main>
</body>
</html>
`.text;
}

/** The sections of the page, for an element of the class `report` in another page that has `REPORT_STYLE`. */
export function reportSections(models: readonly string[], report: Report, tasks: readonly TaskFacts[]): Markup {
  const lines = resultLines(
    report,
    new Set(tasks.filter(({ name, of }) => name !== of).map(({ name }) => name)),
    models,
  );
  const chances = tasks.flatMap(({ name, chance }) => (chance === undefined ? [] : [[name, chance] as const]));
  const plots = tasks.map(lengthPlot).filter((plot) => plot !== NOTHING);
  return html`${section("Results", resultTable(lines))}${section("Accuracy", accuracyBars(lines, new Map(chances)))}${
    plots.length === 0 ? NOTHING : section("Length of answers", lengths(plots))
  }${section("Wrong answers", wrongAnswers(tasks))}`;
}

const section = (title: string, content: Markup): Markup => html`<section>
<h2>${title}</h2>
${content}</section>
`;

function lengths(plots: readonly Markup[]): Markup {
  return html`<div class="plots">${plots}</div>
<p class="note">The rows are sorted by the length of the answer, reasoning included, and cut into groups of about the same size. A bar is the share of right answers of a group, with its interval of 95 % (Wilson).</p>
`;
}

function wrongAnswers(tasks: readonly TaskFacts[]): Markup {
  let room = WRONG_CHARACTERS;
  const lists = tasks.map((facts) => {
    const [list, taken] = wrongList(facts, room);
    room -= taken;
    return list;
  });
  const wrong = tasks.reduce((sum, { wrongCount }) => sum + wrongCount, 0);
  if (wrong === 0)
    return html`<p class="note">There are none.</p>
`;
  return html`${lists}<p class="note">${count(wrong)} in all. A row is here if a filter does not count it, or one of its answers, as right; the worst come first.</p>
`;
}
