/** The playground around a conversation, in Chromium: links that carry it, the welcome of each model, models by name. */
import { describe, expect, it } from "vitest";
import { QUESTION } from "../../cli/helpers.ts";
import { violations } from "./axe.ts";
import { ask, drop, loaded, type Page, until } from "./page.ts";
import { notice, usePlayground } from "./setup.ts";

const playground = usePlayground();

/** The fragment that this value gives in a link. */
const fragmentOf = (page: Page, json: string): Promise<string> =>
  page.evaluate(async (json) => {
    const stream = new Blob([json]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    return `#chat=${base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
  }, json);

describe("a link with a conversation", () => {
  it("opens elsewhere with the same turns, and the next question goes on from there", async () => {
    const first = await playground.open({ permissions: ["clipboard-read", "clipboard-write"] });
    expect(await first.locator("#share").isVisible()).toBe(false);
    await ask(first, QUESTION);
    await ask(first, "How much is 8 * 33? \u{1f9ee} <b>");
    await first.locator("#share").click();
    await until(first, `document.querySelector("#share").textContent === "Link copied"`);
    const link = await first.evaluate<string>("navigator.clipboard.readText()");
    expect(link).toMatch(/\/playground\/#chat=[\w-]+$/);
    const turns = `[...document.querySelectorAll(".asked, .content")].map(({ innerText }) => innerText)`;
    const said = await first.evaluate<string[]>(turns);
    expect(said).toHaveLength(4);
    await first.close();
    const page = await playground.open({}, link);
    await until(page, `document.querySelectorAll("article").length === 4`);
    expect(await page.evaluate(turns)).toEqual(said);
    expect(await page.locator("#log .about").innerText()).toMatch(/^From a link: a conversation with crumb\./);
    expect(await violations(page)).toEqual([]);
    expect(await ask(page, QUESTION)).toContain("260");
    await page.locator("#new-chat").click();
    expect(await page.evaluate("location.hash")).toBe("");
    expect(await page.locator("#share").isVisible()).toBe(false);
  });

  it("one that is damaged, of another shape or huge is an error, and nothing in a text of it runs", async () => {
    const page = await playground.open();
    const attack = `<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>`;
    const fragments = [
      await fragmentOf(page, JSON.stringify([attack, [attack, attack]])),
      "#chat=AAAA",
      await fragmentOf(page, JSON.stringify({ turns: 1 })),
      await fragmentOf(page, JSON.stringify(["m", ["a", "b".repeat(2 ** 21)]])),
    ];
    await page.close();
    const [good, ...bad] = fragments as [string, ...string[]];
    for (const fragment of bad) {
      const wrong = await playground.open({}, `${playground.url}/playground/${fragment}`);
      await wrong.locator("#notice").waitFor();
      expect(await notice(wrong)).toContain("The conversation of this link cannot be read: ");
      expect(await wrong.locator("article").count()).toBe(0);
      await wrong.close();
    }
    const shown = await playground.open({}, `${playground.url}/playground/${good}`);
    await until(shown, `document.querySelectorAll("article").length === 2`);
    expect(await shown.evaluate("window.hacked")).toBeUndefined();
    expect(await shown.locator(".asked").innerText()).toBe(attack);
  });
});

it("the welcome speaks of the loaded model", async () => {
  const page = await playground.open();
  const welcome = (): Promise<string> => page.locator("#welcome").innerText();
  const crumbs = await welcome();
  expect(crumbs).toContain("A language model in this page");
  await drop(page, "my-coder.gguf", "/playground/crumb.gguf");
  await loaded(page, "my-coder");
  await until(page, `document.querySelector("#welcome h2").textContent === "my-coder"`);
  expect(await welcome()).toMatch(/Its context holds 1,024 tokens\.[\s\S]*Python function/);
  await page.locator("#crumb").click();
  await loaded(page, "crumb");
  await until(page, `document.querySelector("#welcome h2").textContent !== "my-coder"`);
  expect(await welcome()).toBe(crumbs);
});

it("models by name that fit the browser; a click fetches one", async () => {
  const page = await playground.open();
  await page.locator("#known summary").click();
  await until(page, `document.querySelector("#known .known")`);
  const list = await page.locator("#known").innerText();
  expect(list).toMatch(/They fit into [\d.]+ GB/);
  expect(list).toMatch(/smollm2:135m\s+98\.4 MB/);
  expect(list).not.toMatch(/embeddinggemma|mobilellm|qwen3:8b|crumb/);
  expect(await violations(page)).toEqual([]);
  const asked = new Promise<void>((resolve) => void page.route("https://**", resolve));
  await page.locator("#known button").first().click();
  await asked;
  expect(await page.locator("#fetch button").innerText()).toBe("Cancel");
  await page.locator("#fetch button").click();
});
