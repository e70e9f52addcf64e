/**
 * How the length of an answer goes with its being right: the share of right answers of the shortest rows, the next ones,
 * and so on, each group with about the same number of rows.
 * @module
 */
import type { RowFacts, TaskFacts } from "./facts.ts";
import { html, type Markup, NOTHING } from "./markup.ts";
import { count, median, percent, short, wilson } from "./numbers.ts";

interface Measured extends RowFacts {
  readonly length: number;
}

interface Group {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly share: number;
}

/** Groups of a plot at most, and rows of a group at least. */
const MOST_GROUPS = 10;
const LEAST_ROWS = 5;
/** The plot in units of its view box: text is readable where it is 340 pixels wide, as on a phone. */
const PLOT = { width: 340, height: 190, left: 42, right: 8, top: 10, bottom: 24 };

/** Nothing for a task whose answers are chosen. */
export function lengthPlot({ name, rows }: TaskFacts): Markup {
  const measured = rows.filter((row): row is Measured => row.length !== undefined);
  if (measured.length === 0) return NOTHING;
  const groups = groupsOf(measured);
  return html`<figure>
<svg viewBox="0 0 ${PLOT.width} ${PLOT.height}" role="img" aria-label="${`${name}: share of right answers by length`}">
${axis(groups)}${groups.map((group, i) => column(group, i, groups.length))}</svg>
<figcaption><b>${name}</b>. ${summary(measured)}</figcaption>
${figures(groups)}</figure>
`;
}

/** Rows of the same length are never in different groups. */
function groupsOf(rows: readonly Measured[]): readonly Group[] {
  const sorted = [...rows].sort((a, b) => a.length - b.length);
  const size = Math.max(LEAST_ROWS, Math.ceil(sorted.length / MOST_GROUPS));
  const groups: Group[] = [];
  for (let start = 0; start < sorted.length; ) {
    let end = Math.min(start + size, sorted.length);
    if (sorted.length - end < LEAST_ROWS) end = sorted.length;
    while (end < sorted.length && sorted[end]!.length === sorted[end - 1]!.length) end++;
    const own = sorted.slice(start, end);
    const share = own.reduce((sum, { score }) => sum + score, 0) / own.length;
    groups.push({ from: own[0]!.length, to: own.at(-1)!.length, rows: own.length, share });
    start = end;
  }
  return groups;
}

const y = (share: number): number => PLOT.top + (1 - share) * (PLOT.height - PLOT.top - PLOT.bottom);
const x = (place: number, groups: number): number =>
  PLOT.left + (place / groups) * (PLOT.width - PLOT.left - PLOT.right);
const at = (value: number): string => value.toFixed(1);

function axis(groups: readonly Group[]): Markup {
  const lines = [0, 0.25, 0.5, 0.75, 1].map(
    (share) => html`<path class="grid" d="M${PLOT.left} ${at(y(share))}H${PLOT.width - PLOT.right}"/>
<text x="${PLOT.left - 5}" y="${at(y(share) + 3.5)}" text-anchor="end">${`${100 * share} %`}</text>
`,
  );
  // Under each border stands the shortest length to its right, and at the end the longest of all.
  const borders = [...groups.map(({ from }) => from), groups.at(-1)!.to].map(
    (
      length,
      i,
    ) => html`<text x="${at(x(i, groups.length))}" y="${PLOT.height - 8}" text-anchor="middle">${short(length)}</text>
`,
  );
  return html`${lines}${borders}`;
}

function column({ share, rows, from, to }: Group, i: number, groups: number): Markup {
  const { low, high } = wilson(share, rows);
  const [left, right] = [x(i, groups) + 2, x(i + 1, groups) - 2];
  const middle = (left + right) / 2;
  const cap = (value: number): string => `M${at(middle - 4)} ${at(y(value))}H${at(middle + 4)}`;
  return html`<g><title>${`${count(from)} to ${count(to)} characters: ${percent(share)} % of ${rows} rows`}</title>
<path class="fill" d="M${at(left)} ${at(y(0))}V${at(y(share))}H${at(right)}V${at(y(0))}Z"/>
<path class="whisker" d="M${at(middle)} ${at(y(low))}V${at(y(high))}${cap(low)}${cap(high)}"/></g>
`;
}

/** The medians of right and wrong rows. */
function summary(rows: readonly Measured[]): string {
  const say = (word: string, own: readonly Measured[]): string =>
    own.length === 0
      ? `no row is ${word}`
      : `${count(median(own.map(({ length }) => length)))} where ${word} (${count(own.length)} rows)`;
  const right = rows.filter(({ score }) => score >= 0.5);
  const wrong = rows.filter(({ score }) => score < 0.5);
  return `Median length in characters: ${say("right", right)}, ${say("wrong", wrong)}.`;
}

function figures(groups: readonly Group[]): Markup {
  const row = ({ from, to, rows, share }: Group): Markup =>
    html`<tr><th scope="row">${`${count(from)} to ${count(to)}`}</th><td>${count(rows)}</td><td>${percent(share)}</td></tr>
`;
  return html`<details><summary>Figures</summary><table>
<thead><tr><th scope="col">Characters</th><th scope="col">Rows</th><th scope="col">Right, %</th></tr></thead>
<tbody>${groups.map(row)}</tbody></table></details>
`;
}
