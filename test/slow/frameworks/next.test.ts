/** A route of Next.js with the packed package, built by either of its bundlers: the model answers on two threads. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createProject, type Project } from "../hosts/project.ts";

const VERSIONS = [
  "next@16.4.3",
  "react@19.3.0",
  "react-dom@19.3.0",
  "typescript@5",
  "@types/node@20",
  "@types/react@19",
];
const FILES: Readonly<Record<string, string>> = {
  "app/layout.tsx": `export default function Layout({ children }: { children: React.ReactNode }) {
    return <html lang="en"><body>{children}</body></html>;
  }`,
  "app/page.tsx": "export default function Page() { return <p>home</p>; }",
  "app/v1/[...path]/route.ts": `import { load } from "nibble-llm";
    import { createHandler } from "nibble-llm/server";
    const model = await load("crumb", { threads: 2 });
    const handler = createHandler(model);
    export const GET = handler;
    export const POST = handler;`,
};

let project: Project;
let next: string;
beforeAll(() => {
  project = createProject();
  const install = ["install", "--no-audit", "--no-fund", ...VERSIONS];
  expect(spawnSync("npm", install, { cwd: project.folder, encoding: "utf8" })).toMatchObject({ status: 0 });
  next = join(project.folder, "node_modules/next/dist/bin/next");
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(join(project.folder, name, ".."), { recursive: true });
    writeFileSync(join(project.folder, name), text);
  }
});
afterAll(() => project?.remove());

/** Starts the built app on a free port. @returns its URL, and how to end it */
async function start(): Promise<{ url: string; end(): void }> {
  const app = spawn(process.execPath, [next, "start", "-p", "0"], { cwd: project.folder });
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    const read = (text: Buffer): void => {
      output += text;
      const port = /http:\/\/localhost:(\d+)/.exec(output)?.[1];
      if (port && output.includes("Ready")) resolve(`http://localhost:${port}`);
    };
    app.stdout.on("data", read);
    app.stderr.on("data", read);
    app.once("exit", () => reject(new Error(output)));
  });
  return { url, end: () => void app.kill() };
}

it.each(["--turbopack", "--webpack"])("next build %s, next start", async (bundler) => {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [next, "build", bundler], {
    cwd: project.folder,
    encoding: "utf8",
    env,
  });
  expect(status, stdout + stderr).toBe(0);
  const { url, end } = await start();
  try {
    const body = JSON.stringify({ messages: [{ role: "user", content: "How much is 8 * 33?" }], temperature: 0 });
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("264")]);
  } finally {
    end();
  }
});
