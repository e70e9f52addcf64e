/**
 * The table of results, and the same as bars with error bars.
 * @module
 */
import { html, type Markup, NOTHING } from "./markup.ts";
import { count, type Interval, interval, percent, wilson } from "./numbers.ts";
import { lineName, type ResultLine } from "./result-lines.ts";

export function resultTable(lines: readonly ResultLine[]): Markup {
  const hasCard = lines.some(({ card }) => card !== undefined);
  const row = ({
    task,
    kind,
    rows,
    shots,
    value,
    stderr,
    card,
    ...line
  }: ResultLine): Markup => html`<tr class="${kind}">
<th scope="row">${task}</th><td>${lineName(line)}</td><td>${shots ?? ""}</td><td>${rows === undefined ? "" : count(rows)}</td>
<td><b>${percent(value)}</b></td><td>${stderr === undefined ? "" : `± ${percent(stderr)}`}</td>${hasCard ? html`<td>${card === undefined ? "" : percent(card)}</td>` : NOTHING}</tr>
`;
  return html`<div class="wide" role="region" tabindex="0" aria-label="Table of results"><table>
<thead><tr><th scope="col">Task</th><th scope="col">Score</th><th scope="col">Shots</th><th scope="col">Rows</th><th scope="col">%</th><th scope="col">Error</th>${hasCard ? html`<th scope="col">Card</th>` : NOTHING}</tr></thead>
<tbody>
${lines.map(row)}</tbody></table></div>
<p class="note">Percent, with the standard error.${lines.every(({ rows }) => rows !== undefined) ? "" : " A line without a number of rows is a mean of tasks."}${hasCard ? " Card: the figure of MobileLLM-R1's model card." : ""}</p>
`;
}

/** @param chances what guessing would give, by task */
export function accuracyBars(lines: readonly ResultLine[], chances: ReadonlyMap<string, number>): Markup {
  const bar = (line: ResultLine): Markup => barOf(line, chances.get(line.task));
  const [tasks, parts] = (["task", "part"] as const).map((kind) => lines.filter((line) => line.kind === kind).map(bar));
  const folded = html`<details><summary>${parts!.length} parts of these tasks</summary><div class="bars">${parts!}</div></details>
`;
  return html`<div class="bars">${tasks!}</div>
${parts!.length > 0 ? folded : NOTHING}<p class="note">Whiskers are intervals of 95 % (1.96 standard errors; Wilson's rule where all rows are right, or all wrong).${chances.size > 0 ? " The thin line is what guessing would give." : ""}</p>
`;
}

/** By the standard error; by Wilson's rule where all rows are right, or all wrong, as that error is then 0, or unknown. */
function intervalOf({ value, stderr = 0, rows }: ResultLine): Interval | undefined {
  if (stderr > 0) return interval(value, stderr);
  return rows === undefined ? undefined : wilson(value, rows);
}

function barOf(result: ResultLine, chance: number | undefined): Markup {
  const { task, value, ...line } = result;
  const between = intervalOf(result);
  const x = (share: number): string => (100 * share).toFixed(2);
  const whisker = ({ low, high }: Interval): Markup =>
    html`<path class="whisker" d="M${x(low)} 8H${x(high)}M${x(low)} 4V12M${x(high)} 4V12"/>`;
  const guess = chance === undefined ? NOTHING : html`<path class="guess" d="M${x(chance)} 0V16"/>`;
  const error = between ? ` (${percent(between.low)} to ${percent(between.high)})` : "";
  return html`<div class="bar"><span>${task} <small>${lineName(line)}</small></span><span class="value"><b>${percent(value)}</b>${error}</span>
<svg viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true"><path class="track" d="M0 2H100V14H0Z"/><path class="fill" d="M0 2H${x(value)}V14H0Z"/>${guess}${between ? whisker(between) : NOTHING}</svg></div>
`;
}
