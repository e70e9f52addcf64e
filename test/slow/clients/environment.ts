/**
 * The Python environment of the clients' tests, made from requirements.txt below .cache/, and the server that they talk to.
 * @module
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { lock } from "../../../src/hosts/node/lock.ts";
import { cli, Running } from "../../cli/helpers.ts";
import { root } from "../../helpers/models.ts";

export const here: string = import.meta.dirname;
const requirements = join(here, "requirements.txt");
const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
export const environment: string = join(root, `.cache/clients-${hash}`);
export const python: string = join(environment, "bin/python");
/** Variables of Python processes, so that no client looks for anything beyond this machine. */
export const offline: Readonly<Record<string, string>> = {
  PYTHONDONTWRITEBYTECODE: "1",
  HF_HUB_OFFLINE: "1",
  HF_DATASETS_OFFLINE: "1",
  LITELLM_LOCAL_MODEL_COST_MAP: "True",
  ANONYMIZED_TELEMETRY: "False",
};

/** Runs a command to its end. @returns what it printed @throws Error with everything it printed, if it fails */
export function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: here, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** Makes the environment, unless it is there. Of the test files that run at the same time, one makes it. */
export async function installEnvironment(): Promise<void> {
  const complete = join(environment, "complete");
  mkdirSync(dirname(environment), { recursive: true });
  const held = await lock(`${environment}.lock`);
  try {
    if (existsSync(complete)) return;
    rmSync(environment, { recursive: true, force: true });
    // The event loop stays free, because the lock has a heartbeat.
    const runs = promisify(execFile);
    await runs("python3", ["-m", "venv", environment]);
    await runs(python, ["-m", "pip", "install", "--quiet", "-r", requirements]);
    writeFileSync(complete, "");
  } finally {
    await held.release();
  }
}

export interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts `nibble serve` on one thread. */
export async function serve(model: string): Promise<Server> {
  const server = new Running(process.execPath, [cli, "serve", model, "--port", "0", "--json", "-t", "1"]);
  const end = await server.until("\n");
  const { url } = JSON.parse(server.stdout.slice(0, end)) as { url: string };
  return {
    url,
    async stop() {
      server.child.kill("SIGTERM");
      await server.result();
    },
  };
}
