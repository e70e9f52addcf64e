/** Models that are dropped, chosen, fetched and kept in the playground, in Chromium. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { fixtureModel, QUESTION } from "../../cli/helpers.ts";
import { root } from "../../helpers/models.ts";
import { serveFolder } from "../hosts/browser.ts";
import { writeLargeHeader } from "./large-header.ts";
import { ask, drop, loaded, until } from "./page.ts";
import { notice, usePlayground } from "./setup.ts";

const playground = usePlayground();

it("a GGUF file that is dropped on the page replaces crumb", async () => {
  const page = await playground.open();
  await drop(page, "small.gguf", "/playground/crumb.gguf");
  await loaded(page, "small");
  expect(await ask(page, QUESTION)).toBe("It goes 260 km.");
});

it("a model without a chat template continues a text", async () => {
  const page = await playground.open();
  await page.locator("#file").setInputFiles(fixtureModel);
  await loaded(page, "model");
  expect(await page.locator("#facts").innerText()).toMatch(/Architecture\s+llama[\s\S]*File\s+0\.7 MB/);
  await page.locator("[name=max_tokens]").fill("8");
  await ask(page, "a");
  expect(await page.locator(".note").innerText()).toMatch(/^Cut off: as many tokens as allowed\. 8 tokens/);
});

it("files that are no model, truncated or too large are errors, and the earlier model stays", async () => {
  const page = await playground.open();
  await drop(page, "notes.pdf", "%PDF-1.7 and so on");
  await page.locator("#notice").waitFor();
  expect(await notice(page)).toMatch(
    /^This is not a GGUF model\.[\s\S]*bad_magic: expected a GGUF file, got one that begins 25 50/,
  );
  await drop(page, "half.gguf", "/playground/crumb.gguf", 1_000_000);
  await until(page, `document.querySelector("#notice").textContent.includes("truncated")`);
  expect(await notice(page)).toMatch(/^The file ends too early\./);
  const path = join(playground.temporary, "large.gguf");
  await writeLargeHeader(path);
  await page.locator("#file").setInputFiles(path);
  await until(page, `document.querySelector("#notice").textContent.includes("out_of_memory")`);
  expect(await notice(page)).toMatch(
    /^The model does not fit[\s\S]*expected at most 4095\.9 MiB, the plan takes \d+\.\d MiB/,
  );
  await loaded(page, "crumb");
  expect(await ask(page, QUESTION)).toContain("260");
});

it("files are kept in the browser on request, and removed", async () => {
  const page = await playground.open();
  await page.locator("#keep").check();
  await drop(page, "small.gguf", "/playground/crumb.gguf");
  await page.locator("#kept li").waitFor();
  await loaded(page, "small");
  await page.reload();
  await loaded(page, "small"); // the model of the last visit comes back
  await page.locator("#crumb").click();
  await loaded(page, "crumb");
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

it("a model is fetched by its address, kept, and removed; a missing one is an error", async () => {
  const page = await playground.open();
  const fetchModel = async (name: string): Promise<void> => {
    await page.locator("#fetch-name").fill(name);
    await page.locator("#fetch button").click();
  };
  await fetchModel(`${playground.url}/nothing.gguf`);
  await page.locator("#notice").waitFor();
  expect(await notice(page)).toMatch(/^The model is not there\.[\s\S]*missing_file: /);
  playground.errors.splice(0); // the browser logs the missing file too
  await fetchModel("llama:7b");
  await until(page, `document.querySelector("#notice").textContent.includes("invalid_argument")`);
  const asked = new Promise<void>((resolve) => void page.route("https://models.example/**", resolve));
  await fetchModel("https://models.example/never.gguf");
  await asked; // the request gets no answer
  expect(await page.locator("#fetch-progress").innerText()).toBe("Looking for it");
  await page.locator("#fetch button").click();
  await until(page, `document.querySelector("#fetch button").textContent === "Fetch"`);
  expect(await notice(page)).toContain("invalid_argument"); // no other error has come
  await fetchModel(`${playground.url}/playground/crumb.gguf?fetched`);
  await page.locator("#kept li").waitFor();
  expect(await page.locator("#kept li").innerText()).toContain("(3.6 MB)");
  await loaded(page, "crumb.gguf?fetched");
  await page.reload();
  await until(page, `/^crumb.gguf\\?fetched, /.test(document.querySelector("#model-line").textContent)`);
  expect(await ask(page, QUESTION)).toContain("260");
  await page.locator("#kept button").last().click();
  await page.locator("#kept li").waitFor({ state: "hidden" });
});

it("a page that is not isolated answers with one thread", async () => {
  const plain = await serveFolder(join(root, "dist"), false);
  try {
    const page = await playground.open({ serviceWorkers: "block" }, plain.url);
    expect(await page.locator("#facts").innerText()).toMatch(/Threads\s+1 \(page not isolated\)/);
    expect(await ask(page, QUESTION)).toContain("260");
  } finally {
    plain.close();
  }
});
