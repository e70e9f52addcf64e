/** Deno and Bun without npm's folders: the package from a registry, and from a file; Deno with no right but to read it. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProject, installTools, type Project, tool } from "./project.ts";

let project: Project;
let registry: Server;
/** A folder of scripts, far from any node_modules. */
let folder: string;
beforeAll(async () => {
  installTools();
  project = createProject();
  folder = mkdtempSync(join(tmpdir(), "nibble-scripts-"));
  writeFileSync(join(folder, "package.json"), "{}");
  registry = createServer(serveTarball);
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  registry.close();
  registry.closeAllConnections();
  rmSync(folder, { recursive: true });
  project.remove();
});

/** The part of an npm registry that installing one package needs. */
const serveTarball: Parameters<typeof createServer>[1] = ({ url, headers }, response) => {
  const bytes = readFileSync(project.tarball);
  if (url === "/nibble-llm.tgz") return void response.end(bytes);
  if (url !== "/nibble-llm") return void response.writeHead(404).end();
  const manifest = JSON.parse(readFileSync(join(project.folder, "node_modules/nibble-llm/package.json"), "utf8"));
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  const version = { ...manifest, dist: { tarball: `http://${headers.host}/nibble-llm.tgz`, integrity } };
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({
      name: "nibble-llm",
      "dist-tags": { latest: manifest.version },
      versions: { [manifest.version]: version },
    }),
  );
};

/** Runs a script that asks crumb, with two threads. */
async function ask(specifier: string, path: string, ...args: readonly string[]): Promise<string> {
  const script = join(folder, "ask.js");
  const code = `import { load } from ${JSON.stringify(specifier)};
    const model = await load("crumb", { threads: 2 });
    const messages = [{ role: "user", content: "How much is 8 * 33?" }];
    const { choices } = await model.chat.completions.create({ messages, temperature: 0 });
    console.log(choices[0].message.content);
    model.dispose();`;
  writeFileSync(script, code);
  const { port } = registry.address() as AddressInfo;
  const env = {
    ...process.env,
    DENO_DIR: denoFolder(),
    NPM_CONFIG_REGISTRY: `http://127.0.0.1:${port}`,
    NO_COLOR: "1",
  };
  const child = spawn(path, [...args, script], { cwd: folder, env });
  let printed = "";
  child.stdout.on("data", (text) => (printed += text));
  child.stderr.on("data", (text) => (printed += text));
  await new Promise((resolve) => child.once("close", resolve));
  return printed;
}

const denoFolder = (): string => join(folder, "deno");
const packageFolder = (): string => join(project.folder, "node_modules/nibble-llm/dist");
const DENO = ["run", "--no-prompt", "--node-modules-dir=none"];

describe("Deno", () => {
  const deno = (): string => tool("deno/deno");

  it("from npm, with the right to read its cache", async () => {
    expect(await ask("npm:nibble-llm", deno(), ...DENO, `--allow-read=${denoFolder()}`)).toContain("264");
  });

  it("from a file, with the right to read its folder", async () => {
    const file = join(packageFolder(), "index.js");
    expect(await ask(file, deno(), ...DENO, `--allow-read=${packageFolder()}`)).toContain("264");
  });

  it("without that right it says which file it needs", async () => {
    expect(await ask("npm:nibble-llm", deno(), ...DENO)).toMatch(/NibbleError.*crumb\.gguf.*read access/s);
  });
});

it("Bun, from a file", async () => {
  expect(await ask(join(packageFolder(), "index.js"), tool("bun/bin/bun.exe"))).toContain("264");
});
