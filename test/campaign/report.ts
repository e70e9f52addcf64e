/**
 * The figures of campaigns, kept in `results.json`, and docs/reliability.md, which is made of them and of `goals.ts`.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "../../bench/machine.ts";
import type { SoakResult } from "../slow/soak.ts";
import { GOALS } from "./goals.ts";
import type { TargetFigures } from "./runner.ts";
import { PARTS, type PartName } from "./target.ts";
import { targetsOf } from "./targets.ts";

export interface PartRecord {
  readonly machine: Machine;
  readonly seed: string;
  readonly seconds: number;
  readonly targets: readonly TargetFigures[];
}

/** The last recorded run of each part. */
export type CampaignResults = Partial<Record<PartName, PartRecord>>;

const RESULTS: string = join(import.meta.dirname, "results.json");
const REPORT: string = join(import.meta.dirname, "../../docs/reliability.md");

export function keptResults(): CampaignResults {
  return existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")) : {};
}

/** Puts the parts of a run in place of their older figures. */
export function keepResults(results: CampaignResults): void {
  writeFileSync(RESULTS, `${JSON.stringify({ ...keptResults(), ...results }, null, 2)}\n`);
}

export function writeReport(): void {
  writeFileSync(REPORT, reportOf(keptResults()));
}

const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const outcomesOf = (outcomes: Readonly<Record<string, number>>): string =>
  Object.entries(outcomes)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 6)
    .map(([outcome, count]) => `${outcome} ${count}`)
    .join(", ");

function partSection(part: PartName, record: PartRecord | undefined): string {
  const promises = targetsOf(part).map(({ name, promise }) => `- ${name}: ${promise}`);
  if (!record) return `### ${part}\n\n${promises.join("\n")}\n\nNo run of this part is recorded.`;
  const { machine, seed, seconds, targets } = record;
  const soak = part === "soak" ? (targets[0]?.measured as SoakResult | undefined) : undefined;
  const rows = targets.map(({ target, inputs, findings, seconds: time, slowest, outcomes }) => [
    target,
    inputs,
    findings,
    time.toFixed(0),
    slowest.toFixed(1),
    outcomesOf(outcomes),
  ]);
  const about = `${machine.date.slice(0, 10)}, commit ${machine.commit}, ${machine.cpu} with ${machine.cores} cores, load ${machine.load.toFixed(1)} before, ${machine.engine}; seed ${seed}, ${seconds.toFixed(0)} s`;
  return [
    `### ${part}`,
    promises.join("\n"),
    `Run: ${about}.`,
    table(["target", "inputs", "findings", "seconds", "slowest input, s", "how most inputs ended"], rows),
    ...(soak ? [soakTable(soak)] : []),
  ].join("\n\n");
}

function soakTable({ requests, hostile, beginning, end }: SoakResult): string {
  const row = (name: string, key: keyof SoakResult["end"]): (string | number)[] => [name, beginning[key], end[key]];
  return [
    `${requests} requests, ${hostile} of them hostile.`,
    table(
      ["measured", "at the beginning", "at the end"],
      [
        row("resident memory, MiB", "MiB"),
        row("open files and sockets", "files"),
        row("time to first token, median, ms", "firstTokenP50"),
        row("time to first token, 99th percentile, ms", "firstTokenP99"),
        row("tokens of complete answers per second", "tokensPerSecond"),
      ],
    ),
  ].join("\n\n");
}

export function reportOf(results: CampaignResults): string {
  return `# Reliability

This page is written by \`npm run campaign -- --report\` from \`test/campaign/results.json\` and \`test/campaign/goals.ts\`; edit those.
[SECURITY.md](../SECURITY.md) says who and what is not trusted. [test/campaign/README.md](../test/campaign/README.md) says how a campaign is run.

## Goals

Each goal with the test that holds it, and the figure that the test demands or has measured.

${table(
  ["goal", "test", "figure"],
  GOALS.map(({ goal, tests, figure }) => [goal, tests.map((path) => `\`${path}\``).join(", "), figure]),
)}

## The campaign

A campaign draws inputs from a seed until its time is over. A failure is made small by delta debugging and stored below
\`test/campaign/cases/\`, where \`npm test\` replays it ever after.

${PARTS.map((part) => partSection(part, results[part])).join("\n\n")}
`;
}
