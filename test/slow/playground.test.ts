/** The playground, served by `nibble serve`, in Chromium. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { cli, fixtureModel, QUESTION, Running } from "../cli/helpers.ts";
import buildBundles from "../helpers/build-bundles.ts";
import buildWasm from "../helpers/build-wasm.ts";
import { root } from "../helpers/models.ts";
import { fetchOrSkip } from "../helpers/real-model.ts";
import { serveFolder } from "./hosts/browser.ts";
import { installTools, tool } from "./hosts/project.ts";
import { writeLargeHeader } from "./playground/large-header.ts";
import { ask, type Browser, drop, launch, loaded, openPlayground, type Page, until } from "./playground/page.ts";

/** Slow enough to be stopped, and to hold up a page that waits for it. */
const large = await fetchOrSkip("smollm2-135m-instruct-q4_1");

const temporary = mkdtempSync(join(tmpdir(), "nibble-playground-"));
const said: string[] = [];
let server: Running;
let url = "";
let browser: Browser;
let page: Page;

beforeAll(async () => {
  installTools();
  buildWasm();
  buildBundles();
  server = new Running(process.execPath, [cli, "serve", "crumb", "--port", "0", "--json"]);
  const end = await server.until("\n");
  url = JSON.parse(server.stdout.slice(0, end)).url;
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  server?.child.kill();
  rmSync(temporary, { recursive: true });
});
afterEach(async () => {
  await page?.close();
  expect(said.splice(0)).toEqual([]);
});

const open = async (options: object = {}): Promise<void> => {
  page = await openPlayground(browser, url, options, said);
};
const notice = (): Promise<string> => page.locator("#notice").innerText();

interface Seen {
  /** Milliseconds of tasks over 50 ms. */
  readonly tasks: number[];
  /** The sum of the layout's shifts. */
  readonly shifts: number;
}

/** Begins to fill `window.seen`. */
const watch = (): Promise<void> =>
  page.evaluate(`(() => {
    window.seen = { tasks: [], shifts: 0 };
    new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => seen.tasks.push(duration))).observe({ type: "longtask" });
    new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (seen.shifts += value))).observe({ type: "layout-shift" });
  })()`);

async function openLarge(options: object = {}): Promise<void> {
  await open(options);
  await page.locator("#file").setInputFiles(large);
  await page.locator("#model-line").waitFor();
  await until(page, `/^smollm2.*, [\\d.]+ MB of memory$/i.test(document.querySelector("#model-line").textContent)`);
}

describe("with crumb", () => {
  it("answers: reasoning folded away, speed, context, memory, a copy", async () => {
    await open({ permissions: ["clipboard-read", "clipboard-write"] });
    await watch();
    expect(await ask(page, QUESTION)).toBe("It goes 260 km.");
    expect(await page.locator(".reasoning summary").innerText()).toMatch(/^Thought for (\d+ ms|\d+\.\d s)$/);
    expect(await page.locator(".thoughts").isVisible()).toBe(false);
    expect((await page.evaluate<Seen>("window.seen")).shifts).toBeLessThan(0.005);
    await page.locator(".reasoning summary").click();
    expect(await page.locator(".thoughts").innerText()).toMatch(/^Distance = speed \* time\./);
    expect(await page.locator("#speed").innerText()).toMatch(/^\d+ tokens\/s$/);
    expect(await page.locator("#context").innerText()).toMatch(/^\d+ of 1,024 tokens$/);
    expect(await page.locator(".legend").innerText()).toMatch(/Weights\s+3\.6 MB[\s\S]*Memory in all\s+6\.5 MB/);
    await page.locator(".answer button").click();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe("It goes \\boxed{260} km.");
    await page.locator("#new-chat").click();
    expect(await page.locator("article").count()).toBe(0);
  });

  it("by keyboard alone", async () => {
    await open();
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

  it("a context that is full: the answer says so, older turns are left out, a question too long comes back", async () => {
    await open();
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
    expect(await notice()).toMatch(
      /^This does not fit into the context\.[\s\S]*context_full: the prompt has 216 tokens/,
    );
    expect(await page.locator("#question").inputValue()).toBe(long.trim());
    expect(await page.locator(".question").count()).toBe(4);
  });

  it("settings go into the request; a wrong one is told", async () => {
    await open();
    await page.locator("[name=max_tokens]").fill("5");
    await ask(page, QUESTION);
    expect(await page.locator(".note").innerText()).toMatch(/^Cut off: as many tokens as allowed\. 5 tokens/);
    await page.locator("[name=temperature]").fill("7");
    await page.locator("#question").fill(QUESTION);
    await page.keyboard.press("Enter");
    await page.locator("#notice").waitFor();
    expect(await notice()).toContain("temperature: expected");
    await page.reload();
    expect(await page.locator("[name=max_tokens]").inputValue()).toBe("5");
  });
});

describe("files", () => {
  it("a GGUF that is dropped answers in crumb's place", async () => {
    await open();
    await drop(page, "small.gguf", "/crumb.gguf");
    await loaded(page, "small");
    expect(await ask(page, QUESTION)).toBe("It goes 260 km.");
  });

  it("a model without a chat template goes on with a text", async () => {
    await open();
    await page.locator("#file").setInputFiles(fixtureModel);
    await loaded(page, "model");
    expect(await page.locator("#facts").innerText()).toMatch(/Architecture\s+llama[\s\S]*File\s+0\.7 MB/);
    await page.locator("[name=max_tokens]").fill("8");
    await ask(page, "a");
    expect(await page.locator(".note").innerText()).toMatch(/^Cut off: as many tokens as allowed\. 8 tokens/);
  });

  it("what is no model, what is cut off, and what is too large is told; the model before goes on", async () => {
    await open();
    await drop(page, "notes.pdf", "%PDF-1.7 and so on");
    await page.locator("#notice").waitFor();
    expect(await notice()).toMatch(
      /^This is not a GGUF model\.[\s\S]*bad_magic: expected a GGUF file, got one that begins 25 50/,
    );
    await drop(page, "half.gguf", "/crumb.gguf", 1_000_000);
    await until(page, `document.querySelector("#notice").textContent.includes("truncated")`);
    expect(await notice()).toMatch(/^The file ends too early\./);
    const path = join(temporary, "large.gguf");
    await writeLargeHeader(path);
    await page.locator("#file").setInputFiles(path);
    await until(page, `document.querySelector("#notice").textContent.includes("out_of_memory")`);
    expect(await notice()).toMatch(
      /^The model does not fit[\s\S]*expected at most 4095\.9 MiB, the plan takes \d+\.\d MiB/,
    );
    await loaded(page, "crumb");
    expect(await ask(page, QUESTION)).toContain("260");
  });

  it("are kept in the browser, where that is wanted, and removed", async () => {
    await open();
    await page.locator("#keep").check();
    await drop(page, "small.gguf", "/crumb.gguf");
    await page.locator("#kept li").waitFor();
    await page.reload();
    await loaded(page, "crumb");
    await page.locator("#kept button").first().click();
    await loaded(page, "small");
    expect(await ask(page, QUESTION)).toContain("260");
    await page.locator("#kept button").last().click();
    await page.locator("#kept li").waitFor({ state: "hidden" });
    await page.reload();
    await loaded(page, "crumb");
    expect(await page.locator("#kept li").count()).toBe(0);
  });

  it("a model is fetched by its address, kept, and removed; one that is not there is told", async () => {
    await open();
    const fetchModel = async (name: string): Promise<void> => {
      await page.locator("#fetch-name").fill(name);
      await page.locator("#fetch button").click();
    };
    await fetchModel(`${url}/nothing.gguf`);
    await page.locator("#notice").waitFor();
    expect(await notice()).toMatch(/^The model is not there\.[\s\S]*missing_file: /);
    said.splice(0); // the browser's own words about it
    await fetchModel("llama:7b");
    await until(page, `document.querySelector("#notice").textContent.includes("invalid_argument")`);
    const asked = new Promise<void>((resolve) => void page.route("https://models.example/**", resolve));
    await fetchModel("https://models.example/never.gguf");
    await asked; // and gets no answer
    expect(await page.locator("#fetch-progress").innerText()).toBe("Looking for it");
    await page.locator("#fetch button").click();
    await until(page, `document.querySelector("#fetch button").textContent === "Fetch"`);
    expect(await notice()).toContain("invalid_argument"); // still: no other error
    await fetchModel(`${url}/crumb.gguf?fetched`);
    await page.locator("#kept li").waitFor();
    expect(await page.locator("#kept li").innerText()).toContain("(3.6 MB)");
    await page.reload();
    await loaded(page, "crumb");
    await page.locator("#kept button").first().click();
    await until(page, `/^crumb.gguf\\?fetched, /.test(document.querySelector("#model-line").textContent)`);
    expect(await ask(page, QUESTION)).toContain("260");
    await page.locator("#kept button").last().click();
    await page.locator("#kept li").waitFor({ state: "hidden" });
  });

  it("a page that is not isolated has one thread, and answers", async () => {
    const plain = await serveFolder(join(root, "dist"), false);
    try {
      page = await openPlayground(browser, `${plain.url}/playground/`, {}, said);
      expect(await page.locator("#facts").innerText()).toMatch(/Threads\s+1 \(page not isolated\)/);
      expect(await ask(page, QUESTION)).toContain("260");
    } finally {
      plain.close();
    }
  });
});

describe("looks", () => {
  const axe = (): string => readFileSync(tool("axe-core/axe.min.js"), "utf8");
  const violations = async (): Promise<unknown> => {
    await page.evaluate(axe());
    return page.evaluate(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html, any }) => [html, any.map(({ message }) => message)])]))`,
    );
  };

  it.each(["light", "dark"])("%s: nothing for axe to say, contrast AA included, at any time", async (colorScheme) => {
    await open({ colorScheme });
    expect(await violations()).toEqual([]);
    await ask(page, QUESTION);
    await page.locator(".reasoning summary").click();
    await drop(page, "notes.pdf", "%PDF-1.7 and so on");
    await page.locator("#notice").waitFor();
    expect(await violations()).toEqual([]);
    const ground = `getComputedStyle(document.documentElement).backgroundColor`;
    const before = await page.evaluate(ground);
    await page.locator("#theme").click();
    expect(await page.evaluate(ground)).not.toBe(before);
    expect(await violations()).toEqual([]);
    const after = await page.evaluate(ground);
    await page.reload();
    expect(await page.evaluate(ground)).toBe(after);
  });

  it("a phone of 360 pixels: nothing to scroll sideways", async () => {
    await open({ viewport: { width: 360, height: 720 }, isMobile: true, hasTouch: true });
    const width = `Math.max(...[document.documentElement, document.querySelector("#log"), document.querySelector("#panel")].map((e) => e.scrollWidth - e.clientWidth))`;
    const check = async (state: string): Promise<void> => expect(await page.evaluate(width), state).toBe(0);
    await check("welcome");
    await ask(page, QUESTION);
    await check("answer");
    await page.locator("#question").fill("x".repeat(400));
    await page.keyboard.press("Enter");
    await check("a long word");
    await drop(page, `${"long-name-".repeat(12)}.gguf`, "/crumb.gguf");
    await loaded(page, "long-name-".repeat(12));
    await check("a long name");
    await page.locator("#panel-toggle").click();
    expect(await page.locator("#settings").isVisible()).toBe(true);
    await check("panel");
    expect(await violations()).toEqual([]);
    await page.keyboard.press("Escape");
    expect(await page.locator("#panel").isVisible()).toBe(false);
  });
});

describe.skipIf(large === "")("with a model of 98 MB", () => {
  const STORY = "Write a long story about a lighthouse keeper and his three cats.";

  // Again where it fails: a task counts the time that other processes of this machine take from it.
  it("stops within 200 ms and keeps what has come; the page had its time, and nothing jumped", {
    retry: 2,
  }, async () => {
    await openLarge();
    const cores = await page.evaluate<number>("Math.min(8, navigator.hardwareConcurrency)");
    expect(await page.locator("#facts").innerText()).toMatch(new RegExp(`Threads\\s+${cores}$`));
    await watch();
    await page.locator("#question").fill(STORY);
    await page.keyboard.press("Enter");
    await until(page, `document.querySelector(".content")?.textContent.length > 400`);
    const stopped = await page.evaluate<number>(`new Promise((resolve) => {
      const start = performance.now();
      new MutationObserver(() => document.querySelector("[aria-busy]") ?? resolve(performance.now() - start))
        .observe(document.querySelector("#log"), { subtree: true, attributes: true });
      document.querySelector("#stop").click();
    })`);
    expect(stopped).toBeLessThan(200);
    const kept = await page.locator(".content").innerText();
    expect(kept.length).toBeGreaterThan(400);
    expect(await page.locator(".note").innerText()).toMatch(/^Stopped\. \d+ tokens, /);
    const { tasks, shifts } = await page.evaluate<Seen>("window.seen");
    expect(shifts).toBeLessThan(0.01);
    expect(tasks).toEqual([]);
    // It has really stopped: the next answer, which builds on the half one, comes at once.
    await page.locator("[name=max_tokens]").fill("4");
    expect(await ask(page, "Go on.")).not.toBe("");
    expect(await page.locator(".content").first().innerText()).toBe(kept);
    console.log(`stop: ${stopped.toFixed(1)} ms; layout shift ${shifts.toFixed(4)}`);
  });

  it("follows the answer until its reader scrolls up", async () => {
    await openLarge({ viewport: { width: 900, height: 420 } });
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
