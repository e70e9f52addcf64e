/** The code blocks of README.md and of the documentation compile, run and print what the pages say. */
import { spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelsPage } from "../../scripts/models-page.ts";
import { parseArguments } from "../../src/cli/arguments.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { ANTHROPIC_ROUTES } from "../../src/server/anthropic/routes.ts";
import { LLAMA_SERVER_ROUTES } from "../../src/server/llama-server/routes.ts";
import { MODEL_ROUTES } from "../../src/server/models/routes.ts";
import { OLLAMA_ROUTES } from "../../src/server/ollama/routes.ts";
import { OPENAI_ROUTES } from "../../src/server/openai/routes.ts";
import { VLLM_ROUTES } from "../../src/server/vllm/routes.ts";
import { root } from "../helpers/models.ts";
import { codeBlocks, commandLines, modulesOf, PAGES, type PageModule } from "./code-blocks.ts";

/** What the hosts have beside TypeScript's own libraries, as far as the pages use it. */
const GLOBALS = "declare global { var Deno: any; var Bun: any; }\nexport {};\n";

const project = mkdtempSync(join(tmpdir(), "nibble-documentation-"));
const modules: readonly PageModule[] = PAGES.flatMap(modulesOf);
afterAll(() => rmSync(project, { recursive: true }));

beforeAll(() => {
  const installed = join(project, "node_modules");
  mkdirSync(join(installed, "@types"), { recursive: true });
  cpSync(join(root, "dist"), join(installed, "nibble-llm/dist"), { recursive: true });
  copyFileSync(join(root, "package.json"), join(installed, "nibble-llm/package.json"));
  for (const name of ["ai", "@ai-sdk", "@types/node"])
    symlinkSync(join(root, "node_modules", name), join(installed, name));
  copyFileSync(join(root, "dist/crumb.gguf"), join(project, "model.gguf"));
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  writeFileSync(join(project, "globals.d.ts"), GLOBALS);
  for (const { name, code } of modules) writeFileSync(join(project, name), code);
});

describe("code blocks", () => {
  it("compile", () => {
    const compilerOptions = {
      target: "es2023",
      module: "nodenext",
      lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
      types: ["node"],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      moduleDetection: "force",
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
    const tsc = [join(root, "node_modules/typescript/bin/tsc"), "-p", project];
    expect(spawnSync(process.execPath, tsc, { encoding: "utf8" }).stdout).toBe("");
  });

  const running = modules.filter(({ host }) => host === "node");
  it.each(running)("run: $name", async ({ name, outputs }) => {
    const { stdout, stderr, code } = await run(name);
    expect({ stderr: stderr.replace(/^\(node.*\n?|.*ExperimentalWarning.*\n?/gm, ""), code }).toEqual({
      stderr: "",
      code: 0,
    });
    for (const output of outputs) expect(stdout).toContain(output);
  });
});

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

function run(name: string): Promise<Ended> {
  const child = spawn(process.execPath, ["--no-warnings", name], { cwd: project });
  const read = (stream: NodeJS.ReadableStream): string[] => {
    const texts: string[] = [];
    stream.on("data", (chunk) => texts.push(String(chunk)));
    return texts;
  };
  const [stdout, stderr] = [read(child.stdout), read(child.stderr)];
  return new Promise((resolve) =>
    child.on("close", (code) => resolve({ stdout: stdout.join(""), stderr: stderr.join(""), code })),
  );
}

it("every command line of the documents has a command and flags that exist", async () => {
  const wrong: string[] = [];
  const lines = PAGES.flatMap(commandLines);
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) {
    const [name, ...argv] = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
    if (name === "help" || name!.startsWith("-")) continue;
    try {
      parseArguments((await COMMANDS.get(name!)!.load()).flags, argv, `nibble ${name}`);
    } catch (error) {
      wrong.push(`${line}: ${(error as Error).message}`);
    }
  }
  expect(wrong).toEqual([]);
});

it("docs/guide/models.md is up to date: node scripts/models-page.ts", () => {
  expect(readFileSync(join(root, "docs/guide/models.md"), "utf8")).toBe(modelsPage());
});

it("docs/servers.md names every endpoint, and no other", () => {
  const routes = [
    ANTHROPIC_ROUTES,
    LLAMA_SERVER_ROUTES,
    MODEL_ROUTES,
    OLLAMA_ROUTES,
    OPENAI_ROUTES,
    VLLM_ROUTES,
  ].flat();
  const text = readFileSync(join(root, "docs/servers.md"), "utf8");
  const section = text.split("## Endpoints")[1]!.split("\n## ")[0]!;
  const named = [...section.matchAll(/(?<=`|`\w+ )\/[\w/:-]+(?=`)/g)].map(([path]) => path);
  expect([...new Set(named)].sort()).toEqual([...new Set(routes.map(({ path }) => path))].sort());
});

it("docs/troubleshooting.md explains every error code, and no other", () => {
  const source = readFileSync(join(root, "src/base/errors.ts"), "utf8");
  const codes = [...source.matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => code!);
  const text = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");
  const explained = [...text.matchAll(/^## (\w+)$/gm)].map(([, code]) => code!);
  expect(explained.sort()).toEqual(codes.sort());
});

it("no page has a block of code whose language or words the tests do not know", () => {
  const languages = ["ts", "js", "sh", "json", "txt", "html", "toml", "yaml", "nginx", "dockerfile"];
  const words = ["browser", "worker", "deno", "own", "outside", "output"];
  const strange = PAGES.flatMap((page) =>
    codeBlocks(page)
      .filter(
        (block) =>
          !languages.includes(block.language) || block.words.some((word) => !words.includes(word) && !/^\[/.test(word)),
      )
      .map(({ language, words }) => `${page}: ${language} ${words.join(" ")}`),
  );
  expect(strange).toEqual([]);
});
