/** Chats with crumb in the playground, in Chromium. */
import { expect, it } from "vitest";
import { QUESTION } from "../../cli/helpers.ts";
import { ask, loaded, until } from "./page.ts";
import { notice, type Seen, usePlayground, watch } from "./setup.ts";

const playground = usePlayground();

it("an answer has its reasoning folded away, shows speed, context and memory, and can be copied", async () => {
  const page = await playground.open({ permissions: ["clipboard-read", "clipboard-write"] });
  expect(await ask(page, QUESTION)).toBe("It goes 260 km.");
  expect(await page.locator(".reasoning summary").innerText()).toMatch(/^Thought for (\d+ ms|\d+\.\d s)$/);
  expect(await page.locator(".thoughts").isVisible()).toBe(false);
  await page.locator(".reasoning summary").click();
  expect(await page.locator(".thoughts").innerText()).toMatch(/^Distance = speed \* time\./);
  expect(await page.locator("#speed").innerText()).toMatch(/^[\d.]+ tokens\/s$/);
  expect(await page.locator("#context").innerText()).toMatch(/^\d+ of 1,024 tokens$/);
  expect(await page.locator(".legend").innerText()).toMatch(/Weights\s+3\.6 MB[\s\S]*Memory in all\s+6\.6 MB/);
  await page.locator(".answer button").click();
  expect(await page.evaluate("navigator.clipboard.readText()")).toBe("It goes \\boxed{260} km.");
  await page.locator("#new-chat").click();
  expect(await page.locator("article").count()).toBe(0);
});

it.each([1, 4, 16])("nothing moves while answers come, at 1/%d of the processor's speed", async (rate) => {
  const page = await playground.open();
  const devTools = await page.context().newCDPSession(page);
  await devTools.send("Emulation.setCPUThrottlingRate", { rate });
  await page.locator("[name=context]").fill("256");
  await page.keyboard.press("Tab");
  await until(page, `document.querySelector("#facts").textContent.includes("256 tokens")`);
  await loaded(page, "crumb");
  await page.locator("[name=history]").check();
  await watch(page);
  // The third question leaves out the first turn, and from the fourth on the conversation scrolls.
  for (let i = 0; i < 5; i++) await ask(page, QUESTION);
  expect((await page.evaluate<Seen>("window.seen")).shifts).toEqual([]);
});

it("works by keyboard alone", async () => {
  const page = await playground.open();
  await page.keyboard.type("How much is 8 * 33?");
  await page.keyboard.press("Shift+Enter");
  expect(await page.locator("#question").inputValue()).toBe("How much is 8 * 33?\n");
  await page.keyboard.press("Enter");
  await until(page, `document.querySelector(".answer:not([aria-busy])")`);
  expect(await page.locator(".content").innerText()).toContain("264");
  const focused = `(() => {
    const { id, name, textContent, tagName } = document.activeElement, style = getComputedStyle(document.activeElement);
    return { name: id || name || (tagName === "BODY" ? tagName : textContent), outline: style.outlineStyle + " " + style.outlineWidth };
  })()`;
  const seen: string[] = [];
  for (let i = 0; i < 40; i++) {
    const { name, outline } = await page.evaluate<{ name: string; outline: string }>(focused);
    if (name !== "BODY") expect(outline, name).toBe("solid 2px");
    if (seen.includes(name)) break; // once around
    if (name.startsWith("Thought")) {
      await page.keyboard.press("Enter");
      expect(await page.locator(".thoughts").isVisible()).toBe(true);
    }
    seen.push(name);
    await page.keyboard.press("Tab");
  }
  const reached = [
    "question",
    "theme",
    "share",
    "new-chat",
    "log",
    "Copy",
    "choose",
    "crumb",
    "keep",
    "temperature",
    "system",
  ];
  expect(seen).toEqual(expect.arrayContaining(reached));
});

it("with a full context the answer says so, older turns are left out, and a question that is too long comes back", async () => {
  const page = await playground.open();
  await page.locator("[name=context]").fill("96");
  await page.keyboard.press("Tab");
  await until(page, `document.querySelector("#facts").textContent.includes("96 tokens")`);
  await loaded(page, "crumb");
  await page.locator("[name=history]").check();
  await ask(page, QUESTION);
  expect(await page.locator(".note").last().innerText()).toMatch(/^Cut off: the context is full\. \d+ tokens/);
  for (let i = 0; i < 3; i++) await ask(page, QUESTION);
  expect(await page.locator(".left-out").count()).toBeGreaterThan(0);
  expect(await page.locator(".question").count()).toBe(4);
  const long = "How much is 8 * 33? ".repeat(20);
  await page.locator("#question").fill(long);
  await page.keyboard.press("Enter");
  await page.locator("#notice").waitFor();
  expect(await notice(page)).toMatch(
    /^This does not fit into the context\.[\s\S]*context_full: the prompt has 216 tokens/,
  );
  expect(await page.locator("#question").inputValue()).toBe(long.trim());
  expect(await page.locator(".question").count()).toBe(4);
});

it("settings go into the request; a wrong one is an error", async () => {
  const page = await playground.open();
  await page.locator("[name=max_tokens]").fill("5");
  await ask(page, QUESTION);
  expect(await page.locator(".note").innerText()).toMatch(/^Cut off: as many tokens as allowed\. 5 tokens/);
  await page.locator("[name=temperature]").fill("-1");
  await page.locator("#question").fill(QUESTION);
  await page.keyboard.press("Enter");
  await page.locator("#notice").waitFor();
  expect(await notice(page)).toContain("temperature: expected");
  await page.reload();
  expect(await page.locator("[name=max_tokens]").inputValue()).toBe("5");
});
