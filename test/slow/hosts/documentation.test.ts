/** The documentation's blocks for browsers, Workers, Deno and Bun run with the packed package. */
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Running } from "../../cli/helpers.ts";
import { codeBlocks, modulesOf, PAGES, type PageModule } from "../../documentation/code-blocks.ts";
import { freePort } from "../../helpers/free-port.ts";
import { root } from "../../helpers/models.ts";
import { launchChromium, type Page, serveFolder } from "./browser.ts";
import { createProject, installTools, type Project, run, tool } from "./project.ts";
import { startWorker } from "./wrangler.ts";

let project: Project;
beforeAll(() => {
  installTools();
  project = createProject();
});
afterAll(() => project.remove());

const blocksOf = (host: PageModule["host"]): PageModule[] =>
  PAGES.flatMap(modulesOf).filter((module) => module.host === host);

/** The text of a stream of chat completions. */
function textOf(events: string): string {
  const chunks = [...events.matchAll(/^data: (\{.*)$/gm)].map(([, json]) => JSON.parse(json!));
  return chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
}

/** What a block for Workers needs besides itself, and what it must answer. */
interface WorkerCheck {
  /** The Worker that calls the block's own, `./block.ts`; without it the block is the Worker. */
  readonly around?: string;
  check(url: string): Promise<void>;
}

/** The request of the page's `curl` line, sent elsewhere. */
async function curl(page: string, url: string): Promise<string> {
  const line = codeBlocks(page).find(({ text }) => text.startsWith("curl "))!.text;
  const [, from, header, value, body] =
    /^curl -N (http:\S+?)\/v1\/chat\/completions -H "([\w-]+): (.+?)" -d '(.+)'$/.exec(line.trim())!;
  expect(from).toBe("http://localhost:8787"); // wrangler's own port
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { [header!]: value! },
    body: body!,
  });
  expect(response.status).toBe(200);
  return response.text();
}

/** Cloudflare's bindings: a bucket with crumb, another Worker, and an index of two documents. */
const BINDINGS = `import bytes from "nibble-llm/crumb.gguf";
import worker from "./block.ts";

const MODELS = {
  get: async (key) => (key === "model.gguf" ? { body: new Response(bytes).body, size: bytes.byteLength } : null),
};
const EMBEDDER = {
  async fetch(url, { body }) {
    const { input } = JSON.parse(body);
    return Response.json({ data: [{ embedding: [input.length, 0.5] }] });
  },
};
const VECTORIZE = {
  async query([length, half], { topK, returnMetadata }) {
    if (length !== 19 || half !== 0.5 || topK !== 3 || returnMetadata !== "all") throw new Error("another query");
    return { matches: [{ metadata: { text: "33 is 3 * 11." } }, { metadata: { text: "8 is 2 * 4." } }] };
  },
};
export default { fetch: (request) => worker.fetch(request, { MODELS, EMBEDDER, VECTORIZE }) };
`;

const WORKERS: Readonly<Record<string, WorkerCheck>> = {
  "docs-start-workers-0.ts": {
    async check(url) {
      const [first, second] = await Promise.all([
        curl("docs/start/workers.md", url),
        curl("docs/start/workers.md", url),
      ]);
      expect(textOf(first)).toContain("\\boxed{264}");
      expect(textOf(second)).toBe(textOf(first));
    },
  },
  "docs-guide-rag-0.ts": {
    around: BINDINGS,
    async check(url) {
      const response = await fetch(url, { method: "POST", body: JSON.stringify({ question: "How much is 8 * 33?" }) });
      expect(response.status).toBe(200);
      expect(textOf(await response.text())).toMatch(/\d/);
    },
  },
};

describe("Workers", () => {
  it.each(blocksOf("worker"))("$name", async ({ name, code }) => {
    const known = WORKERS[name];
    if (!known) throw new Error(`${name}: expected what it must answer, in WORKERS`);
    const folder = join(project.folder, name.replace(/\.ts$/, ""));
    mkdirSync(folder);
    const config = codeBlocks("docs/start/workers.md").find(({ language }) => language === "json")!.text;
    writeFileSync(join(folder, "wrangler.jsonc"), config);
    const crumbs = code.replace("contextLength: 2048", "contextLength: 1024"); // crumb's context
    writeFileSync(join(folder, known.around ? "block.ts" : "worker.ts"), crumbs);
    if (known.around) writeFileSync(join(folder, "worker.ts"), known.around);
    const worker = await startWorker(folder);
    try {
      await known.check(worker.url);
    } finally {
      await worker.stop();
    }
  });
});

/** A page with what its console said. */
interface Opened {
  readonly page: Page;
  readonly said: readonly string[];
}

/** Waits for a condition of the page. */
async function until(condition: () => Promise<boolean> | boolean, what: () => string): Promise<void> {
  for (const start = Date.now(); !(await condition()); ) {
    if (Date.now() - start > 600_000) throw new Error(`not within ten minutes: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const says = ({ said }: Opened, text: string): Promise<void> =>
  until(
    () => said.includes(text),
    () => `${text} among ${JSON.stringify(said)}`,
  );

const PAGE_CHECKS: Readonly<Record<string, (opened: Opened) => Promise<void>>> = {
  "docs-start-browser-0.ts": ({ page }) =>
    until(
      () => page.evaluate(`document.body.textContent.includes("\\\\boxed{264}")`),
      () => "the answer in the page",
    ),
  "docs-start-browser-1.ts": (opened) => says(opened, "model.gguf"),
  async "docs-start-browser-2.ts"(opened) {
    await says(opened, "[]"); // no model is kept
    await opened.page.evaluate(async () => {
      const dropped = new DataTransfer();
      dropped.items.add(new File([await (await fetch("/models/model.gguf")).blob()], "model.gguf"));
      const input = document.querySelector("input")!;
      input.files = dropped.files;
      input.dispatchEvent(new Event("change"));
    });
    await says(opened, "llama4 1024");
  },
};

describe("browsers", () => {
  let browser: Awaited<ReturnType<typeof launchChromium>>;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  it.each(blocksOf("browser"))("$name", async ({ name, code }) => {
    const check = PAGE_CHECKS[name];
    if (!check) throw new Error(`${name}: expected what its page must show, in PAGE_CHECKS`);
    const folder = join(project.folder, name.replace(/\.ts$/, ""));
    const dist = join(project.folder, "node_modules/nibble-llm/dist");
    cpSync(dist, folder, { recursive: true }); // with model-worker.js beside the page
    mkdirSync(join(folder, "models"));
    copyFileSync(join(dist, "crumb.gguf"), join(folder, "models/model.gguf"));
    writeFileSync(join(folder, "main.ts"), code);
    // The page's own flags, where the package is at the root.
    const [, flags] = /npx esbuild main\.js (.*)$/m.exec(readFileSync(join(root, "docs/start/browser.md"), "utf8"))!;
    const args = flags!.replaceAll('"', "").replaceAll("/nibble/", "/").replace("public/", "").split(" ");
    run(tool("esbuild/bin/esbuild"), ["main.ts", ...args], { cwd: folder });
    writeFileSync(
      join(folder, "index.html"),
      '<!doctype html><input type="file"><script type="module" src="main.js"></script>',
    );
    const server = await serveFolder(folder, true);
    try {
      const page = await browser.newPage();
      const said: string[] = [];
      page.on("console", (message) => said.push((message as { text(): string }).text()));
      page.on("pageerror", (error) => said.push(String(error)));
      await page.goto(server.url);
      await check({ page, said });
    } finally {
      server.close();
    }
  });
});

const PROGRAM = "docs-start-deno-bun-0.ts";

describe("Deno and Bun", () => {
  const env = { PATH: "/usr/bin:/bin", NO_COLOR: "1" };
  // They are installed when the tests begin.
  const deno = (): string => tool("deno/deno");
  const bun = (): string => tool("bun/bin/bun.exe");
  const blocks = blocksOf("deno");
  /** Writes a block, and gives its file. */
  const written = ({ name, code }: PageModule): string => {
    const file = join(project.folder, name);
    writeFileSync(file, code);
    return file;
  };

  it(`${PROGRAM}, a program`, () => {
    const file = written(blocks.find(({ name }) => name === PROGRAM)!);
    expect(run(deno(), ["run", "--allow-read", file], { cwd: project.folder, env })).toContain("\\boxed{264}");
    expect(run(bun(), [file], { cwd: project.folder, env })).toContain("\\boxed{264}");
  });

  const servers = blocks.filter(({ name }) => name !== PROGRAM);
  it.each(servers.flatMap((block) => ["Deno", "Bun"].map((host) => ({ host, name: block.name, block }))))(
    "$host: $name, a server",
    async ({ host, block }) => {
      const file = written(block);
      const port = `${await freePort()}`;
      const serve = block.code.includes("export default") ? ["serve", "--port", port] : ["run", "--allow-net"];
      const running =
        host === "Bun"
          ? new Running(bun(), [file], { cwd: project.folder, env: { ...env, PORT: port } })
          : new Running(deno(), [...serve, "--allow-read", file], {
              cwd: project.folder,
              env: { ...env, DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` },
            });
      try {
        const url = `http://127.0.0.1:${port}/v1/chat/completions`;
        const ask = () =>
          fetch(url, {
            method: "POST",
            headers: { "content-type": "application/json", authorization: "Bearer secret" },
            body: JSON.stringify({ messages: [{ role: "user", content: "How much is 8 * 33?" }] }),
          }).catch(() => undefined);
        await until(
          async () => (await ask())?.status === 200,
          () => running.stdout + running.stderr,
        );
        expect(await (await ask())!.text()).toContain("\\\\boxed{264}");
        running.child.kill("SIGTERM");
        const code = await running.exit;
        if (block.code.includes("SIGTERM")) expect(code).toBe(0);
      } finally {
        running.child.kill("SIGKILL");
      }
    },
  );
});
