/** The report that `nibble eval -o` writes, opened from its file in Chromium: nothing of a row runs, and it is accessible. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { nibble } from "../../cli/helpers.ts";
import { dataFolder } from "../../eval/fixtures.ts";
import { installTools } from "../hosts/project.ts";
import { violations } from "./axe.ts";
import { type Browser, launch, type Page } from "./page.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-report-"));
const attacks = [
  "</script><script>window.hacked = 1</script>",
  "<img src=x onerror=window.hacked=2>",
  `"><svg onload=window.hacked=3>'><svg onload=window.hacked=4>`,
  "</pre></details></style><style>* { display: none }</style>",
  "<!-- <textarea> --!> &lt;script&gt; \u2028 \u202e",
];
const errors: string[] = [];
let browser: Browser;

beforeAll(async () => {
  installTools();
  browser = await launch();
  const rows = attacks.map((attack) => JSON.stringify({ question: attack, answer: `${attack} #### ${attack}` }));
  writeFileSync(join(folder, "hostile.jsonl"), rows.join("\n"));
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** Runs an evaluation with crumb and opens its report, with all of its folded parts open. */
async function openReport(args: readonly string[], options: object): Promise<Page> {
  const out = mkdtempSync(join(folder, "out-"));
  const { code, stderr } = await nibble(["eval", ...args, "-n", "16", "-o", out]);
  expect([code, stderr.includes("nibble:")]).toEqual([0, false]);
  const page = await browser.newPage(options);
  page.on("pageerror", (error: Error) => errors.push(String(error)));
  page.on("console", (message: { text(): string }) => errors.push(message.text()));
  await page.goto(pathToFileURL(join(out, "report.html")).href);
  await page.evaluate(`document.querySelectorAll("details").forEach((one) => { one.open = true; })`);
  return page;
}

it("texts of rows are shown as they are, and nothing in them runs or is fetched", async () => {
  const page = await openReport(["gsm8k", "--num-fewshot", "0", "--data", join(folder, "hostile.jsonl")], {});
  const { questions, ...facts } = await page.evaluate<Record<string, unknown>>(`({
    hacked: window.hacked,
    elements: document.querySelectorAll("script, img, textarea, svg[onload], [src], [href]").length,
    styles: document.querySelectorAll("style").length,
    visible: document.querySelector("h1").checkVisibility(),
    questions: [...document.querySelectorAll(".entry pre")].map((pre) => pre.textContent),
  })`);
  expect(facts).toEqual({ elements: 0, styles: 1, visible: true });
  expect(questions).toEqual(expect.arrayContaining(attacks.map((attack) => `Question: ${attack}\nAnswer:`)));
  expect(errors).toEqual([]);
  await page.close();
});

it.each([
  ["light", 1000],
  ["dark", 390],
])(
  "%s, %d pixels: axe finds nothing, nothing scrolls sideways, and all can be read by keyboard",
  async (colorScheme, width) => {
    const tasks = ["gsm8k", "mmlu", "arc_easy", "winogrande"];
    const page = await openReport([...tasks, "--num-fewshot", "0", "--data", dataFolder], {
      colorScheme,
      viewport: { width, height: 800 },
    });
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    const box = `(() => { const { width, height } = document.querySelector("figure svg").getBoundingClientRect(); return width > 300 && height > 150; })()`;
    expect(await page.evaluate(box)).toBe(true);
    await page.evaluate(`document.querySelectorAll("details").forEach((one) => { one.open = false; })`);
    for (let i = 0; i < 20 && !(await page.evaluate(`document.activeElement.matches(".task > summary")`)); i++)
      await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(`document.querySelector(".entry dl").checkVisibility()`)).toBe(true);
    expect(errors).toEqual([]);
    await page.close();
  },
);
