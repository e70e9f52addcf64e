/** Accessibility and layout of the playground, by axe in Chromium. */
import { expect, it } from "vitest";
import { QUESTION } from "../../cli/helpers.ts";
import { violations } from "./axe.ts";
import { ask, drop, loaded } from "./page.ts";
import { usePlayground } from "./setup.ts";

const playground = usePlayground();

it.each(["light", "dark"])("%s: axe finds nothing, with contrast AA, in any state", async (colorScheme) => {
  const page = await playground.open({ colorScheme });
  expect(await violations(page)).toEqual([]);
  await ask(page, QUESTION);
  await page.locator(".reasoning summary").click();
  await drop(page, "notes.pdf", "%PDF-1.7 and so on");
  await page.locator("#notice").waitFor();
  expect(await violations(page)).toEqual([]);
  const ground = `getComputedStyle(document.documentElement).backgroundColor`;
  const before = await page.evaluate(ground);
  await page.locator("#theme").click();
  expect(await page.evaluate(ground)).not.toBe(before);
  expect(await violations(page)).toEqual([]);
  const after = await page.evaluate(ground);
  await page.reload();
  expect(await page.evaluate(ground)).toBe(after);
});

it("nothing scrolls sideways on a phone of 360 pixels", async () => {
  const page = await playground.open({ viewport: { width: 360, height: 720 }, isMobile: true, hasTouch: true });
  const width = `Math.max(...[document.documentElement, document.querySelector("#log"), document.querySelector("#panel")].map((e) => e.scrollWidth - e.clientWidth))`;
  const check = async (state: string): Promise<void> => expect(await page.evaluate(width), state).toBe(0);
  await check("welcome");
  await ask(page, QUESTION);
  await check("answer");
  await page.locator("#question").fill("x".repeat(400));
  await page.keyboard.press("Enter");
  await check("a long word");
  await drop(page, `${"long-name-".repeat(12)}.gguf`, "/playground/crumb.gguf");
  await loaded(page, "long-name-".repeat(12));
  await check("a long name");
  await page.locator("#panel-toggle").click();
  expect(await page.locator("#settings").isVisible()).toBe(true);
  await check("panel");
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  expect(await page.locator("#panel").isVisible()).toBe(false);
});
