/**
 * How the report looks, in light and dark.
 * @module
 */

/** For a page of its own. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; background: light-dark(#faf9f7, #181715); }
body { margin: 0; }
.report { max-width: 60rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
`;

/** Of the elements inside `.report`. Text on its ground has 4.5 to 1 or more in both schemes (WCAG AA). */
export const REPORT_STYLE = `
.report {
  --text: light-dark(#1d1b18, #ece8e2); --muted: light-dark(#625d56, #a9a298); --line: light-dark(#e4e0d9, #35322d);
  --fill: light-dark(#c58f5d, #a56f3a); --mark: light-dark(#4a2403, #ffe3c4); --good: light-dark(#2c6a3f, #86c996);
  --bad: light-dark(#a3201a, #f2938b); --raised: light-dark(#ffffff, #211f1c);
  color: var(--text); font: 100%/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
.report h1 { font-size: 1.4rem; margin: 0 0 1rem; }
.report h2 { font-size: 1.05rem; margin: 2rem 0 0.5rem; }
.report section:first-of-type h2 { margin-top: 0; }
.report .wide { overflow-x: auto; }
.report table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.report th, .report td { padding: 0.25rem 0.75rem; border-bottom: 1px solid var(--line); text-align: right; font-weight: normal; }
.report th:first-child, .report .wide td:nth-child(2), .report .wide th:nth-child(2) { text-align: left; }
.report th:first-child { padding-left: 0; }
@media (max-width: 32rem) { .report .wide th, .report .wide td { padding-inline: 0.3rem; font-size: 0.9rem; } }
.report thead th { color: var(--muted); font-size: 0.85rem; }
.report .part th { padding-left: 1.25rem; color: var(--muted); }
.report small, .report .note, .report figcaption, .report i { color: var(--muted); }
.report .note, .report figcaption { font-size: 0.85rem; margin: 0.5rem 0 0; }
.report .bars { display: grid; gap: 0.6rem; }
.report .bar { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; }
.report .bar svg { grid-column: 1 / -1; width: 100%; height: 16px; }
.report .value { text-align: right; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
.report .track { fill: var(--line); }
.report .fill { fill: var(--fill); }
.report .whisker, .report .guess { fill: none; stroke: var(--mark); stroke-width: 1.5px; vector-effect: non-scaling-stroke; }
.report .guess { stroke: var(--muted); stroke-width: 1px; stroke-dasharray: 3 2; }
.report .grid { stroke: var(--line); fill: none; }
.report .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1.25rem; }
.report figure { margin: 0; max-width: 30rem; }
.report figure svg { width: 100%; height: auto; display: block; }
.report svg text { font-size: 10px; fill: var(--muted); }
.report details { margin: 0.35rem 0; }
.report summary { cursor: pointer; border-radius: 0.25rem; }
.report .task > summary { padding: 0.25rem 0; }
.report .entry { margin: 0 0 0 0.75rem; padding-left: 0.75rem; border-left: 2px solid var(--line); }
.report :focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
.report dl { margin: 0.25rem 0 1rem; padding: 0.6rem 0.85rem; border: 1px solid var(--line); border-radius: 0.5rem; background: var(--raised); }
.report dt { color: var(--muted); font-size: 0.85rem; }
.report dd { margin: 0 0 0.6rem; }
.report pre { margin: 0; font: 0.9em/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.report ul { margin: 0; padding: 0 0 0 1.1rem; list-style: disc; }
.report li.right { color: var(--good); }
.report li.chosen { color: var(--bad); }
`;
