/**
 * What a person reads of a run: Markdown, and a chart as SVG.
 * @module
 */
import { markdownTable } from "../src/cli/llama-bench.ts";
import type { Entry, Kind, PeersResult } from "./peers.ts";
import { spread } from "./statistics.ts";

const ratioText = (value: number): string => (value >= 10 ? value.toFixed(0) : value.toFixed(2));

/** Rates of all engines, and how many times as fast each of ours is as each peer. */
export function peersTable(result: PeersResult): string {
  const rows = result.entries.map((entry) => [
    entry.engine,
    String(entry.threads),
    ...(["prompt", "decode"] as const).flatMap((kind) => {
      const { median, low, high } = spread(entry[kind]);
      return [median.toFixed(1), `${low.toFixed(1)}-${high.toFixed(1)}`];
    }),
  ]);
  const head = ["engine", "threads", `pp${result.prompt} t/s`, "middle half", `tg${result.decode} t/s`, "middle half"];
  const pairs = result.comparisons.filter(({ kind }) => kind === "prompt");
  const ratios = pairs.map(({ ours, peer, threads, ratio: prompt }) => {
    const decode = result.comparisons.find(
      (other) => other.kind === "decode" && other.ours === ours && other.peer === peer && other.threads === threads,
    )!.ratio;
    const cells = [prompt, decode].flatMap(({ median, low, high }) => [
      ratioText(median),
      `${ratioText(low)}-${ratioText(high)}`,
    ]);
    return [ours, peer, String(threads), ...cells];
  });
  const ratioHead = ["ours", "peer", "threads", "prompt, times", "middle half", "decode, times", "middle half"];
  const about = [...new Map(result.entries.map(({ engine, about }) => [engine, about]))];
  return [
    `Model: ${result.model}, random weights. ${result.cpu}, ${result.cores} cores, load ${result.load.toFixed(1)} before,`,
    `${result.loadAfter.toFixed(1)} after. Limits of one thread: relaxed dot ${result.limits.relaxedDot.toFixed(0)},`,
    `dot_i16x8 ${result.limits.dotI16.toFixed(0)} G multiply-adds/s, read ${result.limits.read.toFixed(1)} GB/s.\n`,
    markdownTable(head, rows, [0]),
    markdownTable(ratioHead, ratios, [0, 1]),
    ...about.map(([engine, text]) => `- ${engine}: ${text}`),
    ...result.leftOut.map((text) => `- left out: ${text}`),
  ].join("\n");
}

const COLOURS = { nibble: "#1f6feb", "llama.cpp": "#8b949e", wllama: "#d29922" } as const;
const WIDTH = 860;
const LABEL = 190;
const BAR = 20;
const GAP = 8;
const PANEL_HEAD = 40;

/** Two panels of bars: prompt and decode, tokens a second; beside each peer, how many times as fast the best of ours is. */
export function peersChart(result: PeersResult): string {
  const height = PANEL_HEAD + result.entries.length * (BAR + GAP) + 12;
  const panels = [
    panel(result, "prompt", `Prompt of ${result.prompt} tokens, tokens a second`, 30),
    panel(result, "decode", `Decode, tokens a second`, 30 + height),
  ];
  const title = `${result.model}, random weights, on ${result.cpu}, ${result.date.slice(0, 10)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${30 + 2 * height}" font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="22" font-weight="bold">${escapeXml(title)}</text>
${panels.join("\n")}
</svg>
`;
}

function panel(result: PeersResult, kind: Kind, title: string, top: number): string {
  const median = (entry: Entry): number => spread(entry[kind]).median;
  const most = Math.max(...result.entries.map(median));
  const bars = result.entries.map((entry, i) => {
    const y = top + PANEL_HEAD + i * (BAR + GAP);
    const rate = median(entry);
    const width = Math.max(1, (rate / most) * (WIDTH - LABEL - 230));
    const label = `${entry.engine}, ${entry.threads} ${entry.threads === 1 ? "thread" : "threads"}`;
    const colour = Object.entries(COLOURS).find(([name]) => entry.engine.startsWith(name))?.[1] ?? "#999";
    return [
      `<text x="${LABEL - 8}" y="${y + 15}" text-anchor="end">${escapeXml(label)}</text>`,
      `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colour}"/>`,
      `<text x="${(LABEL + width + 6).toFixed(1)}" y="${y + 15}">${escapeXml(rate.toFixed(rate < 100 ? 1 : 0) + versus(result, entry, kind))}</text>`,
    ].join("\n");
  });
  return [`<text x="12" y="${top + 26}" font-weight="bold">${escapeXml(title)}</text>`, ...bars].join("\n");
}

/** `; nibble relaxed: 1.6 times` beside a peer's bar. */
function versus({ comparisons }: PeersResult, { engine, threads }: Entry, kind: Kind): string {
  const against = comparisons.filter((pair) => pair.kind === kind && pair.peer === engine && pair.threads === threads);
  const best = [...against].sort((a, b) => b.ratio.median - a.ratio.median)[0];
  return best ? `; ${best.ours}: ${ratioText(best.ratio.median)} times` : "";
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
