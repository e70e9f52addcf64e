/**
 * Reports a run in Markdown.
 * @module
 */
import { markdownTable } from "../src/cli/llama-bench.ts";
import { count } from "../src/cli/output.ts";
import { againstOurselves, againstPeers, type Comparison } from "./compare.ts";
import type { LoadResult, Size, StartResult } from "./footprint.ts";
import { kernelsTable } from "./kernels.ts";
import type { Limits } from "./limits.ts";
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
  const text = [
    `# ${title}, ${machine.date.slice(0, 10)}`,
    `\`${command}\` on ${machineLine(machine)}; load ${loadAfter.toFixed(2)} after.`,
    "Figures are medians, with the middle half of the samples in brackets. Compare ratios: both sides of a ratio ran in the same round.",
    ...section("Limits of this machine", true, limitsTable(limits)),
    ...section(
      "Models",
      rows.length > 0,
      modelsTable(rows),
      "`of dot`: multiply-adds of the matrix products as a share of the limit above for as many threads; `of read`: weights read, as a share of sequential reading.",
    ),
    ...section("Times as fast as the peers", versusPeers.length > 0, comparisonTable(versusPeers, rows)),
    ...section("Against ourselves", versusOurselves.length > 0, selfTable(versusOurselves)),
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
  const rows = [...limits].map(([threads, samples]) => {
    const of = (key: keyof Limits): string => spreadText(spread(samples.map((sample) => sample[key])));
    return [String(threads), of("relaxedDot"), of("relaxedDotAdd"), of("dotI16"), of("read")];
  });
  const head = ["threads", "relaxed dot, GMAC/s", "relaxed dot-add, GMAC/s", "dot_i16x8, GMAC/s", "read, GB/s"];
  return markdownTable(head, rows, []);
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

function loadTable(load: readonly LoadResult[]): string {
  const ms = (seconds: readonly number[]): string => spreadText(spread(seconds.map((value) => 1000 * value)));
  const cells = load.map(({ build, threads, read, load, times }) => [
    build,
    String(threads),
    ms(read),
    ms(load),
    spreadText(times),
  ]);
  return markdownTable(["build", "threads", "read, ms", "load, ms", "times"], cells, [0]);
}

function startText({ node, firstToken, over }: StartResult): string {
  const cells = [[spreadText(spread(node)), spreadText(spread(firstToken)), spreadText(over)]];
  return markdownTable(["`node -e 0`, ms", "`nibble run PROMPT`, first token, ms", "difference, ms"], cells, []);
}

function sizesTable(sizes: readonly Size[]): string {
  const cells = sizes.map(({ build, bytes, gzipBytes }) => [build, String(bytes), String(gzipBytes)]);
  return markdownTable(["build", "bytes", "gzip"], cells, [0]);
}
