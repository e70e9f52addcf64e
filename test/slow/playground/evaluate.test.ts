/** The playground's tab that evaluates the loaded model, in Chromium: the files that `nibble eval` writes, byte for byte. */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nibble } from "../../cli/helpers.ts";
import { dataFolder } from "../../eval/fixtures.ts";
import { violations } from "./axe.ts";
import { drop, type Page, until } from "./page.ts";
import { blockedPart, notice, usePlayground, watch } from "./setup.ts";

const playground = usePlayground();

async function openTab(options: object = {}): Promise<Page> {
  const page = await playground.open(options);
  await page.locator("#evaluate-tab").click();
  await until(page, `document.querySelector("#eval-form option")`);
  return page;
}

/** Runs with this many rows, and waits for the end. */
async function evaluate(page: Page, rows: number): Promise<void> {
  await page.locator("#eval-form [name=limit]").fill(String(rows));
  await page.keyboard.press("Enter");
  await until(
    page,
    `!document.querySelector("#eval-run").hidden && document.querySelector("#eval-status").textContent`,
  );
}

/** The files that the page offers, by name. */
async function filesOf(page: Page): Promise<Record<string, string>> {
  const names = (await page.locator("#eval-result .files").innerText()).split("\n");
  const files: Record<string, string> = {};
  for (const name of names) {
    const download = page.waitForEvent("download");
    await page.locator(`#eval-result a[download="${name}"]`).click();
    files[name] = readFileSync(await (await download).path(), "utf8");
  }
  return files;
}

/** The files that the command line writes. */
async function filesOfCli(args: readonly string[]): Promise<Record<string, string>> {
  const out = mkdtempSync(join(playground.temporary, "out-"));
  expect((await nibble(["eval", ...args, "-o", out])).code).toBe(0);
  const names = readdirSync(out).filter((name) => name !== "run.json");
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(out, name), "utf8")]));
}

const fixture = (name: string): string => readFileSync(join(dataFolder, name), "utf8");

it("crumb's problems: the files of the command line; the code is fetched when it is needed; the page stays free", async () => {
  const page = await playground.open();
  const fetched = `performance.getEntriesByType("resource").filter(({ name }) => name.includes("evaluate")).length`;
  expect(await page.evaluate(fetched)).toBe(0);
  await watch(page);
  await page.locator("#evaluate-tab").click();
  await until(page, `document.querySelector("#eval-form option")`);
  expect(await page.evaluate(fetched)).toBeGreaterThan(0);
  await evaluate(page, 20);
  expect(await blockedPart(page)).toBeLessThan(0.5);
  expect(await page.locator("#eval-status").innerText()).toBe("20 rows.");
  expect(await filesOf(page)).toEqual(await filesOfCli(["crumb-problems", "--limit", "20"]));
  expect(await page.locator("#eval-result code").innerText()).toBe(
    "nibble eval crumb-problems --limit 20 --num-fewshot 0",
  );
  const shown = await page.locator("#eval-result").innerText();
  for (const part of ["Results", "Accuracy", "Length of answers", "Wrong answers"]) expect(shown).toContain(part);
});

describe("files", () => {
  it("a dropped file of a task with choices chooses it; examples come from a second file", async () => {
    const page = await openTab();
    await drop(page, "hellaswag.jsonl", fixture("hellaswag.jsonl"));
    await until(page, `document.querySelector("[name=task]").value === "hellaswag"`);
    await evaluate(page, 6);
    const args = ["--data", dataFolder, "--limit", "6"];
    expect(await filesOf(page)).toEqual(await filesOfCli(["hellaswag", ...args]));
    await drop(page, { "gsm8k.jsonl": fixture("gsm8k.jsonl"), "gsm8k.train.jsonl": fixture("gsm8k.train.jsonl") });
    await until(page, `document.querySelector("[name=task]").value === "gsm8k"`);
    await evaluate(page, 2);
    expect(await filesOf(page)).toEqual(await filesOfCli(["gsm8k", "--data", dataFolder, "--limit", "2"]));
  });

  it("a file of another name takes the task that is chosen; texts of rows do not run", async () => {
    const page = await openTab();
    await page.evaluate(`(() => {
      const select = document.querySelector("[name=task]");
      select.value = "arc_easy";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    })()`);
    expect(await page.locator("#eval-data").innerText()).toMatch(
      /^It needs arc_easy\.jsonl: allenai\/ai2_arc \(ARC-Easy\)/,
    );
    const attack = "<img src=x onerror=window.hacked=1></script><script>window.hacked=2</script>";
    const row = { question: attack, choices: { text: [attack, "a"], label: ["A", "B"] }, answerKey: "B" };
    await drop(page, "mine.jsonl", [row, { ...row, answerKey: "A" }].map((one) => JSON.stringify(one)).join("\n"));
    await until(page, `document.querySelector("#eval-data").textContent === "Data: mine.jsonl."`);
    await evaluate(page, 5);
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    expect(await page.evaluate(`document.querySelector("#eval-result .entry dd").textContent`)).toContain(attack);
  });

  it("what is not JSON, or does not fit the task, is an error with its line, and the next run works", async () => {
    const page = await openTab();
    await drop(page, "boolq.jsonl", `${fixture("boolq.jsonl")}{oops`);
    await evaluate(page, 5);
    expect(await notice(page)).toMatch(/^This is not JSON\.[\s\S]*bad_json: boolq\.jsonl, line 9: /);
    await drop(page, "boolq.jsonl", fixture("boolq.jsonl"));
    await evaluate(page, 2);
    expect(await page.locator("#notice").isVisible()).toBe(false);
    expect(await page.locator("#eval-status").innerText()).toBe("2 rows.");
  });
});

it("a run that is stopped reports the rows that are done; another model ends it", async () => {
  const page = await openTab();
  await page.locator("#eval-form [name=limit]").fill("500");
  await page.keyboard.press("Enter");
  await until(
    page,
    `/^[1-9]\\d* of 500 rows, [\\d.]+ % right, \\d+ s left$/.test(document.querySelector("#eval-status").textContent)`,
  );
  await page.keyboard.press("Escape");
  await until(page, `/^\\d+ rows\\.$/.test(document.querySelector("#eval-status").textContent)`);
  const rows = Number(/\d+/.exec(await page.locator("#eval-status").innerText())![0]);
  expect(rows).toBeLessThan(500);
  const files = await filesOf(page);
  expect(files["samples_crumb-problems.jsonl"]!.trim().split("\n")).toHaveLength(rows);
  await page.keyboard.press("Enter");
  await page.locator("#eval-form [name=limit]").fill("500");
  await page.keyboard.press("Enter");
  await page.locator("#eval-stop").waitFor();
  await page.locator("#crumb").click();
  await page.locator("#notice").waitFor();
  expect(await notice(page)).toContain("The model was replaced meanwhile.");
  expect(await page.locator("#eval-run").isVisible()).toBe(true);
});

it.each([
  ["light", 1180],
  ["dark", 390],
])(
  "%s, %d pixels: axe finds nothing and nothing scrolls sideways, before and after a run; the tabs work by keyboard",
  async (colorScheme, width) => {
    const page = await playground.open({ colorScheme, viewport: { width, height: 760 } });
    await page.locator("#chat-tab").click();
    await page.keyboard.press("ArrowRight");
    await until(page, `document.querySelector("#eval-form option")`);
    expect(await page.evaluate("document.activeElement.id")).toBe("evaluate-tab");
    expect(await page.locator("#chat").isVisible()).toBe(false);
    expect(await violations(page)).toEqual([]);
    await evaluate(page, 20);
    await page.evaluate(`document.querySelectorAll("#eval-result details").forEach((one) => { one.open = true; })`);
    expect(await violations(page)).toEqual([]);
    const over = `Math.max(...[document.documentElement, document.querySelector("#evaluate")].map((e) => e.scrollWidth - e.clientWidth))`;
    expect(await page.evaluate(over)).toBe(0);
    await page.locator("#evaluate-tab").click();
    await page.keyboard.press("ArrowRight");
    expect(await page.locator("#question").isVisible()).toBe(true);
    expect(await page.locator("#evaluate").isVisible()).toBe(false);
  },
);
