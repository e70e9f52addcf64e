/**
 * Draws a run as an SVG chart.
 * @module
 */
import { againstPeers, type Comparison } from "./compare.ts";
import { label } from "./engines.ts";
import type { Row } from "./models.ts";
import type { Results } from "./results.ts";
import { spread, spreadText } from "./statistics.ts";

const WIDTH = 900;
const LABEL = 210;
/** The room to the right of the longest bar, for a rate and a ratio. */
const TEXT = 380;
const BAR = 18;
const GAP = 8;
const PANEL_HEAD = 40;
const TOP = 56;

/** Colours for light and dark pages; a viewer without media queries shows the light ones. */
const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.quiet { fill: #59636e }
.page { fill: #fff }
.nibble { fill: #0969da }
.llama { fill: #818b98 }
.wllama { fill: #bf8700 }
.spread { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .quiet { fill: #9198a1 }
  .page { fill: #0d1117 }
  .nibble { fill: #4493f8 }
  .wllama { fill: #d29922 }
  .spread { stroke: #f0f6fc }
}`;

/**
 * One panel per test: the tokens per second of every engine with a line over the middle half of its samples, and beside each
 * peer how many times as fast our best engine with as many threads is.
 */
export function chart({ title, machine, rows }: Pick<Results, "title" | "machine" | "rows">): string {
  const comparisons = againstPeers(rows);
  const panels: string[] = [];
  let top = TOP;
  for (const test of new Set(rows.map((row) => row.test))) {
    const bars = rows.filter((row) => row.test === test);
    panels.push(panel(bars, comparisons, top));
    top += PANEL_HEAD + bars.length * (BAR + GAP) + GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" role="img">
<title>${escapeXml(title)}: tokens per second</title>
<style>${STYLE}
</style>
<rect class="page" width="${WIDTH}" height="${top}"/>
<text class="title" x="12" y="24">${escapeXml(title)}</text>
<text class="quiet" x="12" y="44">${escapeXml(`${machine.cpu}, ${machine.date.slice(0, 10)}; the middle half of the samples is in brackets and drawn as a line`)}</text>
${panels.join("\n")}
</svg>
`;
}

function panel(rows: readonly Row[], comparisons: readonly Comparison[], top: number): string {
  const most = Math.max(...rows.map((row) => spread(row.samples_ts).high));
  const x = (rate: number): number => LABEL + (rate / most) * (WIDTH - LABEL - TEXT);
  const bars = rows.map((row, i) => {
    const y = top + PANEL_HEAD + i * (BAR + GAP);
    const rate = spread(row.samples_ts);
    const name = label({ name: row.engine, threads: row.n_threads });
    const width = Math.max(1, x(rate.median) - LABEL);
    const middle = y + BAR / 2;
    return [
      `<text x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${escapeXml(name)}</text>`,
      `<rect class="${escapeXml(row.engine.split(/[ .]/)[0]!)}" x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}"/>`,
      `<path class="spread" d="M${x(rate.low).toFixed(1)} ${middle}H${x(rate.high).toFixed(1)}"/>`,
      `<text x="${(x(Math.max(rate.median, rate.high)) + 8).toFixed(1)}" y="${y + 14}">${escapeXml(spreadText(rate) + versus(comparisons, row, name))}</text>`,
    ].join("\n");
  });
  return [`<text class="title" x="12" y="${top + 26}">${escapeXml(meaning(rows[0]!))}</text>`, ...bars].join("\n");
}

/** The text beside a peer, such as `; nibble relaxed 1.27 (1.25-1.29) times`; empty beside ours. */
function versus(comparisons: readonly Comparison[], row: Row, name: string): string {
  const same = ({ ours }: Comparison): boolean => ours.split(", ")[1] === name.split(", ")[1];
  const against = comparisons.filter((pair) => pair.against === name && pair.test === row.test && same(pair));
  const best = against.sort((a, b) => b.times.median - a.times.median)[0];
  return best ? `; ${best.ours.split(", ")[0]} ${spreadText(best.times)} times` : "";
}

function meaning({ test, n_prompt, n_depth }: Row): string {
  const sequences = test.match(/ x (\d+)/)?.[1];
  const what = n_prompt > 0 ? `prompt of ${n_prompt} tokens` : `decode${n_depth > 0 ? ` after ${n_depth} tokens` : ""}`;
  return `${test}: ${what}${sequences ? `, ${sequences} sequences together` : ""}, tokens per second`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
