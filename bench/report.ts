/**
 * Reports a run in Markdown.
 * @module
 */
import { markdownTable } from "../src/cli/llama-bench.ts";
import { count } from "../src/cli/output.ts";
import { againstOurselves, againstPeers, type Comparison } from "./compare.ts";
import type { LoadResult, Size, StartResult } from "./footprint.ts";
import { type Goal, goalsOf } from "./goals.ts";
import { kernelsTable } from "./kernels.ts";
import { LIMITS, type Limit } from "./limits.ts";
import { machineLine } from "./machine.ts";
import type { Row } from "./models.ts";
import type { Results } from "./results.ts";
import { percent, type Spread, spread, spreadText } from "./statistics.ts";

/** The Markdown of a run: the machine, one section per part that was measured, and what is missing. */
export function report(results: Results): string {
  const { machine, title, command, limits, sizes, start, load, rows, kernels, about, gaps, loadAfter } = results;
  const section = (heading: string, there: boolean, ...paragraphs: string[]): string[] =>
    there ? [`## ${heading}`, ...paragraphs] : [];
  const versusPeers = againstPeers(rows);
  const versusOurselves = againstOurselves(rows);
  const waiting = rows.filter((row) => row.barriers !== undefined);
  const counted = rows.filter((row) => row.samples_joules !== undefined);
  const text = [
    `# ${title}, ${machine.date.slice(0, 10)}`,
    `\`${command}\` on ${machineLine(machine)}; load ${loadAfter.toFixed(2)} after.`,
    "Figures are medians, with the middle half of the samples in brackets. Compare ratios: both sides of a ratio ran in the same round.",
    ...section("Limits of this machine", true, limitsTable(limits)),
    ...section(
      "Models",
      rows.length > 0,
      modelsTable(rows),
      "`of dot`: multiply-adds of the matrix products as a share of the limit above for as many threads; `of read`: weights read, as a share of reading. `256` in an engine's name stands for V8's revectorizer, `load(..., { revectorize: true })`.",
    ),
    ...section("Goals", rows.length > 0, goalsTable(goalsOf(rows)), GOALS_TEXT),
    ...section("Times as fast as the peers", versusPeers.length > 0, comparisonTable(versusPeers, rows)),
    ...section("Against ourselves", versusOurselves.length > 0, selfTable(versusOurselves)),
    ...section("Threads", waiting.length > 0, threadsTable(waiting)),
    ...section("Energy", counted.length > 0, energyTable(counted)),
    ...section("Loading", load.length > 0, loadTable(load)),
    ...section("Start", start !== undefined, start ? startText(start) : ""),
    ...section("WebAssembly", sizes.length > 0, sizesTable(sizes)),
    ...section("Kernels", kernels.length > 0, kernels.length > 0 ? kernelsTable(kernels) : ""),
    ...section("Engines", about.size > 0, [...about].map(([engine, says]) => `- ${engine}: ${says}`).join("\n")),
    ...section("Left out", gaps.length > 0, gaps.map((gap) => `- ${gap}`).join("\n")),
  ];
  return `${text.map((part) => part.trim()).join("\n\n")}\n`;
}

function limitsTable(limits: Results["limits"]): string {
  const rows = [...limits].map(([kind, samples]) => {
    const of = (key: Limit): string =>
      `${spreadText(spread(samples.map((sample) => sample[key])))}, ${samples.at(-1)!.loops[key]}`;
    return [kind, ...LIMITS.map(of)];
  });
  const head = ["threads", "relaxed dot, GMAC/s", "relaxed dot-add, GMAC/s", "dot_i16x8, GMAC/s", "read, GB/s"];
  return markdownTable(head, rows, [0]);
}

/** llama-bench's columns with medians, and then our own. */
export function modelsTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.model_type,
    `${(row.model_size / 2 ** 20).toFixed(2)} MiB`,
    count(row.model_n_params),
    row.ours ? `nibble ${row.backends}` : row.backends,
    String(row.n_threads),
    row.test,
    spreadText(spread(row.samples_ts)),
    spread(row.samples_gmacs).median.toFixed(1),
    percent(row.dot_share?.median),
    row.samples_gbs ? spread(row.samples_gbs).median.toFixed(1) : "",
    percent(row.read_share?.median),
  ]);
  const head = ["model", "size", "params", "backend", "threads", "test", "t/s", "GMAC/s", "of dot", "GB/s", "of read"];
  return markdownTable(head, cells, [0, 3, 5]);
}

/** One row per pair of engines, one column per test. */
export function comparisonTable(comparisons: readonly Comparison[], rows: readonly Row[]): string {
  const tests = [...new Set(rows.map(({ test }) => test))];
  const pairs = new Map<string, Map<string, Spread>>();
  for (const { ours, against, test, times } of comparisons) {
    const key = JSON.stringify([ours, against]);
    pairs.set(key, (pairs.get(key) ?? new Map<string, Spread>()).set(test, times));
  }
  const cells = [...pairs].map(([key, times]) => [
    ...(JSON.parse(key) as [string, string]),
    ...tests.map((test) => (times.has(test) ? spreadText(times.get(test)!) : "not measured")),
  ]);
  return markdownTable(["ours", "peer", ...tests], cells, [0, 1]);
}

function selfTable(comparisons: readonly Comparison[]): string {
  const cells = comparisons.map(({ ours, test, against, times }) => [ours, test, against, spreadText(times)]);
  return markdownTable(["engine", "test", "against", "times"], cells, [0, 1, 2]);
}

const GOALS_TEXT =
  "A figure is the median of ratios that were taken in the same rounds. `best` are the best instructions of this CPU; where these are AVX-512, both goals have the same peer.";

function goalsTable(goals: readonly Goal[]): string {
  const cells = goals.map(({ goal, wanted, figure }) => [
    goal,
    String(wanted),
    figure === undefined ? "not measured" : figure.toFixed(2),
    figure === undefined ? "" : figure >= wanted ? "met" : "missed",
  ]);
  return markdownTable(["goal", "at least", "figure", ""], cells, [0, 3]);
}

/** The barriers of a step, and how long the first thread waits there for the others. */
function threadsTable(rows: readonly Row[]): string {
  const cells = rows.map(({ engine, n_threads, test, barriers, waiting }) => [
    engine,
    String(n_threads),
    test,
    String(barriers),
    percent(waiting?.median),
  ]);
  return markdownTable(["engine", "threads", "test", "barriers per step", "time in them"], cells, [0, 2]);
}

function energyTable(rows: readonly Row[]): string {
  const cells = rows.map(({ engine, n_threads, test, samples_joules = [] }) => [
    engine,
    String(n_threads),
    test,
    spreadText(spread(samples_joules)),
  ]);
  return markdownTable(["engine", "threads", "test", "joules per token"], cells, [0, 2]);
}

function loadTable(load: readonly LoadResult[]): string {
  const ms = (seconds: readonly number[]): string => spreadText(spread(seconds.map((value) => 1000 * value)));
  const cells = load.map(({ name, threads, read, load, times }) => [
    name,
    String(threads),
    ms(read),
    ms(load),
    spreadText(times),
  ]);
  return markdownTable(["engine", "threads", "read, ms", "load, ms", "times"], cells, [0]);
}

function startText({ node, firstToken, firstTokenOfModel, over }: StartResult): string {
  const cells = [[...[spread(node), spread(firstToken), over, spread(firstTokenOfModel)].map(spreadText)]];
  const first = "first token, ms";
  const head = ["`node -e 0`, ms", `\`nibble run PROMPT\`, ${first}`, "difference, ms", `with this model, ${first}`];
  return markdownTable(head, cells, []);
}

function sizesTable(sizes: readonly Size[]): string {
  const cells = sizes.map(({ build, bytes, gzipBytes }) => [build, String(bytes), String(gzipBytes)]);
  return markdownTable(["build", "bytes", "gzip"], cells, [0]);
}
