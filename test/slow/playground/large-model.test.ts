/** A model that is slow enough to be stopped, in the playground in Chromium. */
import { describe, expect, it } from "vitest";
import { fetchOrSkip } from "../../helpers/real-model.ts";
import { ask, type Page, until } from "./page.ts";
import { blockedPart, type Seen, usePlayground, watch } from "./setup.ts";

const model = await fetchOrSkip("smollm2-135m-instruct-q4_1");
const playground = usePlayground();

async function openLarge(options: object = {}): Promise<Page> {
  const page = await playground.open(options);
  await page.locator("#file").setInputFiles(model);
  await page.locator("#model-line").waitFor();
  await until(page, `/^smollm2.*, [\\d.]+ MB of memory$/i.test(document.querySelector("#model-line").textContent)`);
  return page;
}

describe.skipIf(model === "")("a model of 98 MB", () => {
  const STORY = "Write a long story about a lighthouse keeper and his three cats.";

  it("stops at once and keeps the text so far; the page is free meanwhile, and nothing moves", async () => {
    const page = await openLarge();
    const cores = await page.evaluate<number>("Math.min(8, navigator.hardwareConcurrency)");
    expect(await page.locator("#facts").innerText()).toMatch(new RegExp(`Threads\\s+${cores}$`));
    await watch(page);
    await page.locator("#question").fill(STORY);
    await page.keyboard.press("Enter");
    await until(page, `document.querySelector(".content")?.textContent.length > 400`);
    const { stopped, length } = await page.evaluate<{ stopped: number; length: number }>(`new Promise((resolve) => {
      const start = performance.now();
      const { length } = document.querySelector(".content").textContent;
      new MutationObserver(() => document.querySelector("[aria-busy]") ?? resolve({ stopped: performance.now() - start, length }))
        .observe(document.querySelector("#log"), { subtree: true, attributes: true });
      document.querySelector("#stop").click();
    })`);
    const kept = await page.locator(".content").innerText();
    // What was computed by then is shown, which is at most 64 tokens; the whole story has thousands of characters.
    expect(kept.length).toBeGreaterThan(length - 10);
    expect(kept.length).toBeLessThan(length + 64 * 12);
    expect(await page.locator(".note").innerText()).toMatch(/^Stopped\. \d+ tokens, /);
    expect((await page.evaluate<Seen>("window.seen")).shifts).toEqual([]);
    expect(await blockedPart(page)).toBeLessThan(0.5);
    // Generation has really stopped: the next answer, which continues the stopped one, comes at once.
    await page.locator("[name=max_tokens]").fill("4");
    expect(await ask(page, "Go on.")).not.toBe("");
    expect(await page.locator(".content").first().innerText()).toBe(kept);
    console.log(`stop: ${stopped.toFixed(1)} ms`);
  });

  it("follows the answer until the reader scrolls up", async () => {
    const page = await openLarge({ viewport: { width: 900, height: 420 } });
    await page.locator("#question").fill(STORY);
    await page.keyboard.press("Enter");
    const away = `(() => { const { scrollHeight, scrollTop, clientHeight } = document.querySelector("#log"); return scrollHeight - scrollTop - clientHeight; })()`;
    await until(page, `document.querySelector("#log").scrollTop > 100`);
    expect(await page.evaluate<number>(away)).toBeLessThan(2);
    await page.evaluate(`document.querySelector("#log").scrollTop = 20`);
    await page.locator("#to-end").waitFor();
    const length = `document.querySelector(".content").textContent.length`;
    const before = await page.evaluate<number>(length);
    await until(page, `${length} > ${before + 100}`);
    expect(await page.evaluate(`document.querySelector("#log").scrollTop`)).toBe(20);
    await page.locator("#to-end").click();
    expect(await page.evaluate<number>(away)).toBeLessThan(2);
    await page.keyboard.press("Escape");
    await page.locator("#stop").waitFor({ state: "hidden" });
  });
});
