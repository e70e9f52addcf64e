/**
 * Describes the machine of a run.
 * @module
 */
import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly engine: string;
  /** The commit, followed by `with changes` where the tree differs from it. */
  readonly commit: string;
  readonly date: string;
  /** The load average over the minute before the benchmark began: 0 on a quiet machine. */
  readonly load: number;
}

const cwd = fileURLToPath(new URL("..", import.meta.url));
const git = (...args: string[]): string => execFileSync("git", args, { cwd, encoding: "utf8" }).trim();

export function machine(): Machine {
  const changed = git("status", "--porcelain", "assembly", "src", "bench");
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    engine: `Node ${process.version}, V8 ${process.versions.v8}`,
    commit: git("rev-parse", "--short", "HEAD") + (changed ? " with changes" : ""),
    date: new Date().toISOString(),
    load: loadavg()[0] ?? 0,
  };
}

/** A CPU's name for file names, such as `xeon`, `epyc-7763-64-core` or `apple-m2`. */
export function machineSlug(cpu: string): string {
  const words = cpu.toLowerCase().replace(/\((r|tm)\)|@.*/g, " ");
  const telling = words.split(/[^a-z0-9]+/).filter((word) => !/^(intel|amd|cpu|processor|)$/.test(word));
  return telling.join("-") || "unknown";
}

export function machineLine({ cpu, cores, engine, commit, load }: Machine): string {
  return `${cpu}, ${cores} cores, load ${load.toFixed(2)} before; ${engine}; commit ${commit}`;
}

/** Whether a module (its `import.meta.url`) is what Node was started with. */
export function isMain(url: string): boolean {
  const script = process.argv[1];
  return script !== undefined && pathToFileURL(realpathSync(script)).href === url;
}
