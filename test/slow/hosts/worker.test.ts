/** `loadInWorker` in browsers: the page stays responsive, threads where it is isolated, streams and aborts. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchOrSkip } from "../../helpers/real-model.ts";
import { BROWSERS, openPage, serveFolder } from "./browser.ts";
import { createProject, installTools, type Project } from "./project.ts";

/** Large enough for threads, and slow enough to be noticed in a page. */
const large = await fetchOrSkip("smollm2-135m-instruct-q4_1");

let project: Project;
beforeAll(() => {
  installTools();
  project = createProject();
  project.add("page");
});
afterAll(() => project.remove());

interface Seen {
  readonly text: string;
  readonly chunks: number;
  /** Milliseconds of the page's tasks over 50 ms, where the browser reports them. */
  readonly longTasks?: number[];
  readonly aborted: string;
  readonly afterwards: string;
  readonly threadsRefused: string;
  readonly disposed: string;
}

/** Runs in the page. */
const script = `(async () => {
  const longTasks = PerformanceObserver.supportedEntryTypes.includes("longtask") ? [] : undefined;
  const observer = new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => longTasks.push(duration)));
  if (longTasks) observer.observe({ type: "longtask" });
  const model = await loadInWorker("/large.gguf", { contextLength: 512 });
  const request = { messages: [{ role: "user", content: "Count from one to ten." }], temperature: 0, max_tokens: 24 };
  let text = "", chunks = 0;
  for await (const { choices } of await model.chat.completions.create({ ...request, stream: true })) {
    text += choices[0]?.delta.content ?? "";
    chunks++;
  }
  observer.disconnect();
  const stop = new AbortController();
  const aborted = await (async () => {
    const stream = await model.chat.completions.create({ ...request, stream: true, max_tokens: 400 }, { signal: stop.signal });
    for await (const _ of stream) stop.abort(new Error("enough"));
  })().then(() => "it was not ended", ({ message }) => message);
  const afterwards = (await model.chat.completions.create(request)).choices[0].message.content;
  const threadsRefused = await loadInWorker("crumb", { threads: 2 }).then((two) => two.dispose(), ({ code }) => code);
  const pending = model.chat.completions.create(request).catch(({ code }) => code);
  model.dispose();
  return { text, chunks, longTasks, aborted, afterwards, threadsRefused: threadsRefused ?? "", disposed: await pending };
})()`;

describe.skipIf(large === "").each(BROWSERS)("%s", (name, launch) => {
  it.each([true, false])("streams, ends, and leaves the page its time, isolated: %s", async (isolated) => {
    const server = await serveFolder(project.folder, isolated, { "/large.gguf": large });
    const browser = await launch();
    try {
      const page = await openPage(browser, `${server.url}/page/`);
      const seen = await page.evaluate<Seen>(script);
      expect(seen.chunks).toBeGreaterThan(10);
      // Firefox does not report long tasks.
      expect(seen.longTasks).toEqual(name === "Firefox" ? undefined : []);
      expect(seen).toMatchObject({ aborted: "enough", afterwards: seen.text, disposed: "disposed" });
      expect(seen.threadsRefused).toBe(isolated ? "" : "unsupported_host");
      // The one build that was fetched for the large model says whether it had threads.
      const fetched = server.requests.filter((path) => path.endsWith(".wasm"));
      expect(fetched[0]).toMatch(isolated ? /threads\.wasm$/ : /relaxed\.wasm$/);
    } finally {
      await browser.close();
      server.close();
    }
  });
});
