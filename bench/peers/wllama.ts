/**
 * Runs wllama (llama.cpp in WebAssembly) as a contender in Chromium.
 * @module
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Test } from "../../src/cli/throughput.ts";
import { openIsolated, type Page } from "./chromium.ts";
import type { Contender, Sample } from "./contender.ts";

/** llama-server's timings (tools/server). */
interface Timings {
  readonly prompt_n: number;
  readonly prompt_ms: number;
  readonly predicted_n: number;
  readonly predicted_ms: number;
}

const packages = new URL("node_modules/", import.meta.url);

/** The file behind a URL path of the page. */
function pathOf(name: string, model: string): string | undefined {
  if (name === "/model.gguf") return model;
  if (name === "/") return fileURLToPath(new URL("page.html", import.meta.url));
  if (/^\/wllama\/[\w/.-]+$/.test(name) && !name.includes(".."))
    return fileURLToPath(new URL(name.replace("/wllama/", "@wllama/wllama/esm/"), packages));
  return undefined;
}

/** @param contextTokens the tokens of the longest test */
export async function startWllama(model: string, threads: number, contextTokens: number): Promise<Contender> {
  const { page, url, version: chromium, close } = await openIsolated((name) => pathOf(name, model));
  try {
    const query = new URLSearchParams({ threads: String(threads), context: String(contextTokens) });
    await page.goto(`${url}/?${query}`);
    await page.waitForFunction("window.ready");
    const got = await page.evaluate<{ threads: number; llama: string }>("start()");
    if (got.threads !== threads) throw new Error(`threads: expected ${threads}, got ${got.threads}`);
    const { version } = JSON.parse(readFileSync(new URL("@wllama/wllama/package.json", packages), "utf8"));
    return {
      about: `wllama ${version} (llama.cpp ${got.llama}), WebAssembly SIMD, Chromium ${chromium}`,
      prepare: async (test) => () => run(page, test),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Runs a test. The first token of an answer comes from its prompt, so n steps make n + 1 tokens. */
async function run(page: Page, { prompt, gen }: Test): Promise<Sample> {
  // A prompt has two tokens at least, as the first may be BOS.
  const asked = { prompt: prompt || 2, predicted: gen + 1 };
  const t = await page.evaluate<Timings>(`timings(${asked.prompt}, ${asked.predicted})`);
  if (t.prompt_n !== asked.prompt || t.predicted_n !== asked.predicted)
    throw new Error(`ran ${t.prompt_n} + ${t.predicted_n} tokens, not ${asked.prompt} + ${asked.predicted}`);
  return { seconds: (prompt > 0 ? t.prompt_ms : t.predicted_ms) / 1000 };
}
