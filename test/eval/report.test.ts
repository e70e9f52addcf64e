/** The HTML report of an evaluation: what it counts, shows, escapes and leaves out. */
import { describe, expect, it } from "vitest";
import { TASKS } from "../../src/eval/registry.ts";
import { html } from "../../src/eval/report/markup.ts";
import { interval, median, short, wilson } from "../../src/eval/report/numbers.ts";
import { collectors, reportPage } from "../../src/eval/report/report.ts";
import { reportOf } from "../../src/eval/results.ts";
import { type NamedRun, runsOf } from "../../src/eval/runs.ts";
import { readScored, type Sample, sampleLine } from "../../src/eval/samples.ts";
import type { Row } from "../../src/eval/task.ts";

const runOf = (name: string, rows: Row[]): NamedRun =>
  runsOf(TASKS.get(name)!, { rows, pool: [], shots: 0, chat: undefined })[0]!;

/** The lines of a generated answer under GSM8K's two filters. */
function answered(id: number, row: Row, text: string, right: { strict: number; flexible: number }): string[] {
  const target = String(row.answer);
  const common = { id, row, target, requests: [["the prompt", { until: [] }]], resps: [[text]] } as const;
  return [
    { ...common, filter: "strict-match", filtered: ["[invalid]"], metrics: { exact_match: right.strict } },
    { ...common, filter: "flexible-extract", filtered: ["42"], metrics: { exact_match: right.flexible } },
  ].map((sample: Sample) => sampleLine(sample));
}

function pageOf(run: NamedRun, lines: readonly string[], models = ["a model"]): string {
  const tasks = collectors([run]);
  for (const line of lines) tasks[0]!.add(line);
  tasks[0]!.end();
  return reportPage(models, reportOf(new Map([[run, lines.map((line) => readScored(line)!)]]), []), tasks);
}

/** Markup as text, as a reader sees it. */
const seen = (page: string): string =>
  page
    .slice(page.indexOf("<main"))
    .replace(/<[^>]*>/g, " ")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&#39;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, "&")
    .replace(/\s+/g, " ");

it("values are escaped in texts and attributes, and markup is not", () => {
  const value = `<img src=x onerror="a" class='b'> & </script>`;
  expect(html`<p title="${value}">${value}${html`<b>${1}</b>`}${[html`<i></i>`, html`<u></u>`]}</p>`.text).toBe(
    '<p title="&lt;img src=x onerror=&quot;a&quot; class=&#39;b&#39;&gt; &amp; &lt;/script&gt;">' +
      "&lt;img src=x onerror=&quot;a&quot; class=&#39;b&#39;&gt; &amp; &lt;/script&gt;<b>1</b><i></i><u></u></p>",
  );
});

it("intervals", () => {
  expect(wilson(0.8, 10)).toEqual({ low: expect.closeTo(0.4901625, 6), high: expect.closeTo(0.9433178, 6) });
  expect(wilson(0, 5)).toEqual({ low: expect.closeTo(0, 12), high: expect.closeTo(0.4344825, 6) });
  expect(interval(0.5, 0.1)).toEqual({ low: expect.closeTo(0.304, 4), high: expect.closeTo(0.696, 4) });
  expect(interval(0.01, 0.1).low).toBe(0);
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
  expect([0, 999, 999.6, 1234, 9949, 9950, 12_400].map(short)).toEqual([
    "0",
    "999",
    "1.0k",
    "1.2k",
    "9.9k",
    "10k",
    "12k",
  ]);
});

describe("generated answers", () => {
  const row = (id: number): Row => ({ question: `How much is ${id} + 1?`, answer: `It is #### ${id + 1}` });

  it("the table has every filter, and wrong rows come worst first, with what the filters found", () => {
    const run = runOf("gsm8k", [row(0), row(1), row(2)]);
    const page = seen(
      pageOf(run, [
        ...answered(0, row(0), "right by one", { strict: 0, flexible: 1 }),
        ...answered(1, row(1), "right by both", { strict: 1, flexible: 1 }),
        ...answered(2, row(2), "wrong by both", { strict: 0, flexible: 0 }),
      ]),
    );
    expect(page).toContain("gsm8k exact_match, strict-match 0 3 33.3 ± 33.3");
    expect(page).toContain("gsm8k exact_match, flexible-extract 0 3 66.7 ± 33.3");
    expect(page).toContain("gsm8k : 2 of 3 rows");
    expect(page).toMatch(
      /Row 2: 42 , right is It is #### 3 .*wrong by both .*Row 0: .* right by another filter .*right by one/,
    );
    expect(page).toContain("42 exact_match, flexible-extract: 100.0 %");
    expect(page).toContain("Question: How much is 2 + 1? Answer:");
    expect(page).not.toContain("Row 1:");
  });

  it("groups of the plot by length have all rows, and rows of one length are together", () => {
    const lengths = [...Array(40).fill(10), ...Array.from({ length: 23 }, (_, i) => 20 + i)];
    const rows = lengths.map((_, id) => row(id));
    const lines = lengths.flatMap((length, id) =>
      answered(id, rows[id]!, "x".repeat(length), { strict: 0, flexible: Number(length === 10) }),
    );
    const page = seen(pageOf(runOf("gsm8k", rows), lines));
    const figures = page.slice(page.indexOf("Characters Rows"), page.indexOf("The rows are sorted"));
    const groups = [...figures.matchAll(/(\d+) to (\d+) (\d+) ([\d.]+)/g)].map((found) => found.slice(1).map(Number));
    expect(groups[0]).toEqual([10, 10, 40, 100]);
    expect(groups.reduce((sum, [, , count]) => sum + count!, 0)).toBe(63);
    expect(groups.slice(1).every(([from, to, count, share]) => to! - from! === count! - 1 && share === 0)).toBe(true);
    expect(page).toContain("Median length in characters: 10 where right (40 rows), 31 where wrong (23 rows).");
  });

  it("a report of 14,000 long wrong rows stays below 3 MB, and says what it leaves out", () => {
    const long = `${"&<>'\"".repeat(700)} the end`;
    const rows = Array.from({ length: 14_000 }, (_, id) => {
      const text = id < 1000 ? long : "?";
      return { question: text, answer: text };
    });
    const wrong = { strict: 0, flexible: 0 };
    const lines = rows.flatMap((one, id) => answered(id, one, one.question, wrong));
    const page = pageOf(runOf("gsm8k", rows), lines);
    expect(page.length).toBeLessThan(3e6);
    const [, left] = /14,000 of 14,000 rows; ([\d,]+) of them are not shown here, see samples_gsm8k\.jsonl/.exec(page)!;
    expect(page.match(/class="entry"/g)).toHaveLength(14_000 - Number(left!.replaceAll(",", "")));
    expect(seen(page)).toMatch(/&<>'" … 508 characters are left out here … .*the end/);
  });

  it("several answers to a question are counted", () => {
    const run = runOf("gsm8k", [row(0)]);
    const sample: Sample = {
      ...{ id: 0, row: row(0), target: "1", requests: [["p", {}]], resps: [["a", "bb", "cc"]], filter: "none" },
      ...{ filtered: ["7", "8", "8"], metrics: { exact_match: 1 / 3 } },
    };
    const page = seen(pageOf(run, [sampleLine(sample)]));
    expect(page).toMatch(/Row 0: 8 , right is 1 33\.3 % of the answers are right .*Answer 1 of 3 a .*8 × 2\s+7/);
  });

  it("the model card's figure stands beside ours where the model is one of its rows", () => {
    const right = { strict: 1, flexible: 1 };
    const lines = answered(0, row(0), "a", right);
    const page = seen(pageOf(runOf("gsm8k_r1", [row(0)]), lines, ["/models/SmolLM2-135M-Instruct.gguf", "own name"]));
    expect(page).toContain("Evaluation of own name");
    expect(page).toMatch(/Error Card gsm8k_r1 exact_match, strict-match 0 1 100\.0 2\.4 /);
    expect(seen(pageOf(runOf("gsm8k_r1", [row(0)]), lines))).not.toContain("Card");
  });

  it("without a wrong row it says so", () => {
    const page = seen(pageOf(runOf("gsm8k", [row(0)]), answered(0, row(0), "a", { strict: 1, flexible: 1 })));
    expect(page).toContain("Wrong answers There are none.");
    expect(page).toContain("100.0 (20.7 to 100.0)");
  });
});

it("choices are shown with their likelihoods, the right one and the likeliest; a template that does not fit is no error", () => {
  const row: Row = {
    ...{ question: "What burns?", choices: { text: ["ice", "wood"], label: ["A", "B"] }, answerKey: "B" },
  };
  const sample = (id: number, doc: Row): Sample => ({
    ...{ id, row: doc, target: "1", gold: 1, filter: "none", filtered: [], metrics: { acc: 0, acc_norm: 0 } },
    requests: [
      ["all that was read", " ice"],
      ["all that was read", " wood"],
    ],
    resps: [[[-1.25, true]], [[-3.5, false]]],
  });
  const page = pageOf(runOf("arc_easy", [row, {}]), [sample(0, row), sample(1, {})].map(sampleLine));
  expect(page).not.toContain("Length of answers");
  expect(page).toContain("The thin line is what guessing would give.");
  expect(page).toContain('<path class="guess" d="M50.00 0V16"/>');
  expect(seen(page)).toMatch(/Row 0: ice , right is wood .*What burns\? .*ice -1\.25, likeliest .*wood -3\.50, right/);
  expect(seen(page)).toMatch(/Row 1: ice , right is wood .*Question: Answer: .*ice -1\.25, likeliest/);
});

it("cut lines are passed over", () => {
  const run = runOf("gsm8k", [{ question: "", answer: "" }]);
  const [task] = collectors([run]);
  for (const line of ['{"doc_id":0,"do', "", "[]", "null", '{"doc_id":"0"}']) task!.add(line);
  task!.end();
  expect(task!.rows).toEqual([]);
});
