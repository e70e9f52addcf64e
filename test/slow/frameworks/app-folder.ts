/**
 * An app of a framework in a folder of its own, and its server.
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { freePort } from "../../helpers/free-port.ts";
import { npm, run } from "../hosts/project.ts";

/** What an app consists of. */
export interface AppFiles {
  /** The package with a template, and arguments by which it fills the current folder. */
  readonly template?: readonly [creator: string, ...args: string[]];
  /** What is installed beside the template's packages and nibble, in exact versions. */
  readonly packages: readonly string[];
  /** Files by their paths; a function gets the template's text. */
  readonly files: Readonly<Record<string, string | ((text: string) => string)>>;
}

/** Makes the folder of an app, with the packed package from `tarball`. */
export function createApp({ template, packages, files }: AppFiles, tarball: string): string {
  const folder = mkdtempSync(join(tmpdir(), "nibble-app-"));
  if (template) run("npx", ["--yes", ...template], { cwd: folder });
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, typeof text === "string" ? text : text(readFileSync(file, "utf8")));
  }
  npm(["install", "--no-audit", "--no-fund", "--prefer-offline", tarball, ...packages], folder);
  return folder;
}

/** Without the variables of the test runner, such as NODE_ENV and VITEST, by which frameworks behave differently. */
export const ENV = {
  ...{ PATH: process.env.PATH, HOME: process.env.HOME, CI: "1", HOST: "127.0.0.1" },
  ...{ NEXT_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1", ASTRO_TELEMETRY_DISABLED: "1" },
};

export interface AppServer {
  readonly url: string;
  /** Ends its processes. */
  end(): void;
}

/** How a server of an app is started. */
export interface StartOptions {
  readonly folder: string;
  /** Arguments of the program; `$PORT` is the port to listen on, which the variable PORT also names. */
  readonly command: readonly string[];
  /** Answers with status 200 when the server is ready. */
  readonly path: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: this Node. */
  readonly program?: string;
}

/** Starts a server. @throws Error with what it printed if it ends or does not answer within ten minutes */
export async function startApp({ folder, command, path, env, program }: StartOptions): Promise<AppServer> {
  const port = String(await freePort());
  const args = command.map((one) => (one === "$PORT" ? port : one));
  // A group of its own, since servers for developers start processes that outlive them.
  const options = { cwd: folder, detached: true, env: { ...ENV, ...env, PORT: port } };
  const server: ChildProcess = spawn(program ?? process.execPath, args, options);
  let output = "";
  for (const stream of [server.stdout, server.stderr]) stream?.on("data", (text) => (output += text));
  const end = (): void => {
    if (server.exitCode === null) process.kill(-server.pid!);
  };
  const url = `http://localhost:${port}`;
  const deadline = Date.now() + 600_000;
  while ((await fetch(url + path).catch(() => undefined))?.status !== 200) {
    if (server.exitCode !== null || Date.now() > deadline) {
      end();
      throw new Error(`expected ${args.join(" ")} to answer\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { url, end };
}
