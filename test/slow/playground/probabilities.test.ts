/** The playground's pictures, in Chromium: alternatives of tokens, and memory and speed over time. */
import { expect, it } from "vitest";
import { QUESTION } from "../../cli/helpers.ts";
import { violations } from "./axe.ts";
import { ask, type Page, until } from "./page.ts";
import { usePlayground } from "./setup.ts";

const playground = usePlayground();

/** The rows of the alternatives that are shown: text, share, whether the model chose it. */
const choices = (page: Page): Promise<[string, string, boolean][]> =>
  page.evaluate(
    `[...document.querySelectorAll(".choices:not([hidden]) li")].map((row) => [row.querySelector("code").textContent, row.lastChild.textContent, row.className === "chosen"])`,
  );
const tokens = (page: Page): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll("[role=option]")].map(({ textContent }) => textContent)`);

it.each(["light", "dark"])(
  "%s: tokens show their alternatives under the pointer and the arrow keys",
  async (colorScheme) => {
    const page = await playground.open({ colorScheme });
    await page.locator("[name=probabilities]").check();
    await ask(page, QUESTION);
    const texts = await tokens(page);
    expect(texts.join("")).toMatch(/^<think>⏎\nDistance = speed \* time\.[\s\S]*It goes \\boxed\{260\} km\./);
    expect(await page.locator(".note").innerText()).toContain(`${texts.length} tokens, `);
    expect(await choices(page)).toEqual([]);

    await page.locator("[role=option] >> nth=4").hover();
    const rows = await choices(page);
    expect(rows.filter(([, , chosen]) => chosen)).toEqual([[texts[4]!.replaceAll(" ", "␣"), "100 %", true]]);
    expect(rows).toHaveLength(5);
    expect(await violations(page)).toEqual([]);
    await page.locator("#question").hover();
    expect(await choices(page)).toEqual([]);

    await page.locator("[role=listbox]").focus();
    for (const key of ["End", "ArrowLeft", "ArrowLeft"]) await page.keyboard.press(key);
    const active = `document.getElementById(document.querySelector("[role=listbox]").getAttribute("aria-activedescendant"))`;
    expect(await page.evaluate(`${active}.textContent`)).toBe(texts.at(-3));
    const label = await page.evaluate<string>(`${active}.ariaLabel`);
    for (const [, share] of await choices(page)) expect(label).toContain(share);
    expect(await page.evaluate(`document.querySelector(".choices").getBoundingClientRect().right <= innerWidth`)).toBe(
      true,
    );
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    expect(await choices(page)).toEqual([]);

    await page.locator(".under [aria-pressed]").click();
    expect(await page.locator(".tokens").isVisible()).toBe(false);
    expect(await page.locator(".content").innerText()).toBe("It goes 260 km.");
  },
);

it("shares of an unsure token add up to at most one, and the switch is remembered and off at first", async () => {
  const page = await playground.open();
  await ask(page, QUESTION);
  expect(await page.locator(".tokens").count()).toBe(0);
  await page.locator("[name=probabilities]").check();
  await page.locator("[name=temperature]").fill("2");
  await page.locator("[name=max_tokens]").fill("60");
  await ask(page, "Tell me a story about a fox.");
  const labels = await page.evaluate<string[]>(
    `[...document.querySelectorAll("[role=option]")].map(({ ariaLabel }) => ariaLabel)`,
  );
  const sums = labels.map((label) =>
    [...label.matchAll(/(\d[\d.]*) %/g)].reduce((sum, [, share]) => sum + Number(share), 0),
  );
  expect(Math.max(...sums)).toBeLessThanOrEqual(100.6); // shares below 0.1 % are written as that
  expect(Math.min(...sums)).toBeLessThan(90);
  await page.reload();
  expect(await page.evaluate(`document.querySelector("[name=probabilities]").checked`)).toBe(true);
});

it("memory and speed are drawn over time, with the figures in words", async () => {
  const page = await playground.open();
  const words = (name: string): Promise<string> => page.locator(`#${name}-trend figcaption`).innerText();
  const line = (name: string): Promise<string> =>
    page.evaluate(`document.querySelector("#${name}-trend path").getAttribute("d")`);
  expect(await words("speed")).toBe("Tokens/s:\nno answer yet");
  const used = async (): Promise<number> =>
    Number(/^Memory:\n([\d.]+) MB of 6\.6 MB in use$/.exec(await words("memory"))![1]);
  const loaded = await used();
  await ask(page, QUESTION);
  expect(await words("speed")).toMatch(/^Tokens\/s:\n[\d.]+ \([\d.]+ to [\d.]+ in \d+\.\d s\)$/);
  expect(await used()).toBeGreaterThan(loaded);
  const [once] = [await line("speed")];
  expect(once).toMatch(/^M0\.00 [\d.]+L/);
  await ask(page, QUESTION);
  expect((await line("speed")).match(/M/g)).toHaveLength(2); // a pause is no line
  expect(await line("memory")).toMatch(/^M0\.00 [\d.]+(?:[ML]\d+\.\d\d \d+\.\d\d)+$/);
  await page.locator("#crumb").click();
  await until(page, `document.querySelector("#speed-trend").innerText === "Tokens/s:\\nno answer yet"`);
});
