/**
 * The playground in Chromium, and the part of playwright-core that its tests use.
 * @module
 */
import { launchChromium } from "../hosts/browser.ts";

export interface Locator {
  click(): Promise<void>;
  fill(text: string): Promise<void>;
  check(): Promise<void>;
  focus(): Promise<void>;
  hover(): Promise<void>;
  innerText(): Promise<string>;
  inputValue(): Promise<string>;
  isVisible(): Promise<boolean>;
  getAttribute(name: string): Promise<string | null>;
  setInputFiles(path: string): Promise<void>;
  waitFor(options?: { state: "visible" | "hidden" | "attached" }): Promise<void>;
  last(): Locator;
  first(): Locator;
  count(): Promise<number>;
}
export interface Page {
  waitForEvent(event: "download"): Promise<{ path(): Promise<string> }>;
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  route(url: string, answer: () => void): Promise<void>;
  close(): Promise<void>;
  setDefaultTimeout(milliseconds: number): void;
  context(): { newCDPSession(page: Page): Promise<DevTools> };
  locator(selector: string): Locator;
  evaluate<T, A = undefined>(code: string | ((argument: A) => T | Promise<T>), argument?: A): Promise<T>;
  on(event: "pageerror" | "console", listener: (what: never) => void): unknown;
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
}
/** Commands of https://chromedevtools.github.io/devtools-protocol. */
export interface DevTools {
  send(method: "Page.getInstallabilityErrors"): Promise<{ installabilityErrors: { errorId: string }[] }>;
  send(method: "Emulation.setCPUThrottlingRate", parameters: { rate: number }): Promise<void>;
}
export interface Browser {
  newPage(options?: object): Promise<Page>;
  close(): Promise<void>;
}

export const launch = async (): Promise<Browser> => (await launchChromium()) as unknown as Browser;

/** A page that has loaded crumb. Its errors are passed to `said`. */
export async function openPlayground(browser: Browser, url: string, options: object, said: string[]): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1180, height: 760 }, ...options });
  page.setDefaultTimeout(600_000); // A machine that does much else is not a fault.
  page.on("pageerror", (error: Error) => said.push(String(error)));
  page.on("console", (message: { type(): string; text(): string }) => {
    if (message.type() === "error") said.push(message.text());
  });
  await page.goto(url);
  await loaded(page, "crumb");
  return page;
}

/** Waits until a condition, or what its promise resolves to, holds. (Playwright's own way to wait evaluates text, which the page's policy forbids.) */
export async function until(page: Page, condition: string): Promise<void> {
  const holds = (): Promise<boolean> =>
    page.evaluate<boolean>(`(async () => Boolean(await (${condition})))()`).catch((error: Error) => {
      if (error.message.includes("context was destroyed")) return false; // the page is being loaded again
      throw error;
    });
  for (const start = Date.now(); !(await holds()); ) {
    if (Date.now() - start > 600_000)
      throw new Error(`${condition}: not in\n${await page.locator("body").innerText()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Waits until a model has been loaded. */
export async function loaded(page: Page, name: string): Promise<void> {
  await until(page, `document.querySelector("#model-line").textContent.startsWith(${JSON.stringify(`${name}, `)})`);
}

/** Asks, waits for the end, and gives the text of the newest answer: "" if it has only reasoning. */
export async function ask(page: Page, question: string): Promise<string> {
  await page.locator("#question").fill(question);
  await page.keyboard.press("Enter");
  await page.locator("#stop").waitFor({ state: "hidden" });
  await until(page, `!document.querySelector("[aria-busy]")`);
  return page.evaluate(`[...document.querySelectorAll(".answer")].at(-1)?.querySelector(".content")?.innerText ?? ""`);
}

/** Drops a file with this content, or with the first `size` bytes of the file at a path of the server; or several files. */
export async function drop(
  page: Page,
  name: string | Readonly<Record<string, string>>,
  content = "",
  size?: number,
): Promise<void> {
  const files = typeof name === "string" ? [[name, content] as const] : Object.entries(name);
  await page.evaluate(
    async ([files, size]) => {
      const dataTransfer = new DataTransfer();
      for (const [name, content] of files) {
        const bytes = content.startsWith("/") ? (await (await fetch(content)).blob()).slice(0, size) : content;
        dataTransfer.items.add(new File([bytes], name));
      }
      for (const type of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    },
    [files, size] as const,
  );
}
