/**
 * The playground for the tests of a file: `nibble serve` and Chromium, and a new page per test.
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { cli, Running } from "../../cli/helpers.ts";
import { installTools } from "../hosts/project.ts";
import { type Browser, launch, openPlayground, type Page } from "./page.ts";

export interface Playground {
  /** Where `nibble serve` serves it. */
  readonly url: string;
  /** A folder for files, removed at the end. */
  readonly temporary: string;
  /** Errors of the page and its console. A test fails if any are left at its end. */
  readonly errors: string[];
  /** Opens the page of the test, with Playwright's options of a page, and waits until crumb is loaded. */
  open(options?: object, url?: string): Promise<Page>;
}

/** Registers the hooks that start and end everything. */
export function usePlayground(): Playground {
  const errors: string[] = [];
  const temporary = mkdtempSync(join(tmpdir(), "nibble-playground-"));
  let server: Running | undefined;
  let browser: Browser | undefined;
  let page: Page | undefined;
  let url = "";

  beforeAll(async () => {
    installTools();
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
    expect(errors.splice(0)).toEqual([]);
  });

  return {
    get url() {
      return url;
    },
    temporary,
    errors,
    async open(options = {}, address = url) {
      page = await openPlayground(browser!, address, options, errors);
      return page;
    },
  };
}

/** The text of the page's notice of an error. */
export const notice = (page: Page): Promise<string> => page.locator("#notice").innerText();

/** What `watch` puts into `window.seen`. */
export interface Seen {
  /** Since when, as `performance.now()`. */
  readonly since: number;
  /** Milliseconds of tasks over 50 ms. */
  readonly tasks: number[];
  /** What moved though nobody moved it: the elements of each shift of the layout, with their places before and after. */
  readonly shifts: string[];
}

/** Begins to fill `window.seen`. */
export const watch = (page: Page): Promise<void> =>
  page.evaluate(`(() => {
    window.seen = { since: performance.now(), tasks: [], shifts: [] };
    new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => seen.tasks.push(duration))).observe({ type: "longtask" });
    const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
    const moved = ({ node, previousRect, currentRect }) =>
      (node ? node.nodeName + " #" + node.id + " ." + node.className : "removed") + ": " + place(previousRect) + " -> " + place(currentRect);
    new PerformanceObserver((list) => list.getEntries().forEach(({ sources }) => seen.shifts.push(sources.map(moved).join(", "))))
      .observe({ type: "layout-shift" });
  })()`);

/**
 * The part of the time since `watch` in which the page was in tasks over 50 ms. It is near 1 where the page itself computes, and
 * far below 0.5 where a Worker does, on a slow machine too: that makes both longer.
 */
export async function blockedPart(page: Page): Promise<number> {
  const part = await page.evaluate<number>(
    "seen.tasks.reduce((sum, task) => sum + task, 0) / (performance.now() - seen.since)",
  );
  console.log(`tasks over 50 ms: ${(100 * part).toFixed(1)} % of the time`);
  return part;
}
