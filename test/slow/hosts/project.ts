/**
 * The packed package, installed in an empty folder, and the hosts and bundlers that run it (test/hosts/tools).
 * @module
 */
import { type SpawnSyncOptions, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { transformSync } from "esbuild";
import buildBundles from "../../helpers/build-bundles.ts";
import buildWasm from "../../helpers/build-wasm.ts";
import { root } from "../../helpers/models.ts";

const toolsFolder: string = join(root, "test/hosts/tools");
const fixtures: string = join(import.meta.dirname, "fixtures");

/** A tool's file. @throws Error that says how to get it */
export function tool(path: string): string {
  const file = join(toolsFolder, "node_modules", path);
  if (!existsSync(file)) throw new Error(`expected ${file}: run "npm ci" in test/hosts/tools`);
  return file;
}

/**
 * The path of a program that Debian carries: the one that a variable names (a name or a path), else the first of the usual
 * names in PATH.
 * @throws Error that says how to get it
 */
function installedProgram(variable: string, usual: readonly string[], debian: string): string {
  const wanted = process.env[variable];
  const names = wanted ? [wanted] : usual;
  for (const folder of (process.env.PATH ?? "").split(delimiter))
    for (const name of names) if (existsSync(join(folder, name))) return join(folder, name);
  if (existsSync(names[0]!)) return names[0]!;
  throw new Error(`expected ${names.join(" or ")}: "apt-get install ${debian}", or ${variable}=/its/path`);
}

export const chromiumPath = (): string =>
  installedProgram("CHROMIUM", ["chromium", "chromium-browser", "google-chrome"], "chromium");

export const firefoxPath = (): string => installedProgram("FIREFOX", ["firefox-esr", "firefox"], "firefox-esr");

export const redisPath = (): string =>
  installedProgram("REDIS_SERVER", ["valkey-server", "redis-server"], "redis-server");

/** Runs a program to its end. @throws Error with what it printed unless it ends with 0 */
export function run(command: string, args: readonly string[], options: SpawnSyncOptions = {}): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    timeout: 15 * 60_000,
    ...options,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error ?? status}\n${stdout}\n${stderr}`);
  return stdout as string;
}

/** Runs npm. It uses the Node that is first in PATH, which may differ from vitest's. */
export const npm = (args: readonly string[], cwd: string): string => run("npm", args, { cwd });

/** Installs the tools if the installed versions differ from the lock file's. */
export function installTools(): void {
  const installed = join(toolsFolder, "node_modules/.package-lock.json");
  const wanted = JSON.parse(readFileSync(join(toolsFolder, "package-lock.json"), "utf8")).packages;
  const found = existsSync(installed) ? JSON.parse(readFileSync(installed, "utf8")).packages : {};
  const { dependencies } = wanted[""] as { dependencies: Record<string, string> };
  const same = (name: string): boolean =>
    wanted[`node_modules/${name}`].version === found[`node_modules/${name}`]?.version;
  if (!Object.keys(dependencies).every(same)) npm(["ci", "--no-audit", "--no-fund"], toolsFolder);
}

export interface Project {
  readonly folder: string;
  /** The packed package. */
  readonly tarball: string;
  /** Adds files of a fixture folder. */
  add(fixture: string): string;
  remove(): void;
}

/** `npm pack` of this tree, installed in a folder that has nothing else. */
export function createProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), "nibble-hosts-"));
  buildWasm();
  buildBundles();
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [{ filename }] = JSON.parse(npm(pack, root)) as [{ filename: string }];
  const tarball = join(folder, filename);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  npm(["install", "--no-audit", "--no-fund", tarball], folder);
  return {
    folder,
    tarball,
    add(fixture) {
      const target = join(folder, fixture);
      cpSync(join(fixtures, fixture), target, { recursive: true });
      const table = readFileSync(join(import.meta.dirname, "table.ts"), "utf8");
      writeFileSync(join(target, "table.js"), transformSync(table, { loader: "ts" }).code);
      return target;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
