/**
 * `wrangler dev` on a project: workerd, with R2 in a folder.
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { run, tool } from "./project.ts";

const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  WRANGLER_SEND_METRICS: "false",
  CI: "1",
  NO_COLOR: "1",
  ...more,
});

/** Runs a wrangler command to its end. */
export function wrangler(folder: string, ...args: readonly string[]): string {
  return run(process.execPath, [tool("wrangler/bin/wrangler.js"), ...args], { cwd: folder, env: env() });
}

export interface Worker {
  readonly url: string;
  /** wrangler's process; workerd is below it. */
  readonly pid: number;
  /** Its output so far. */
  printed(): string;
  stop(): Promise<void>;
}

/**
 * Starts the project's worker.
 * @param v8Flags of workerd, such as `--wasm-max-mem-pages`
 * @throws Error with wrangler's output if it is not ready within ten minutes
 */
export async function startWorker(folder: string, v8Flags = ""): Promise<Worker> {
  const args = [tool("wrangler/bin/wrangler.js"), "dev", "--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0"];
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: folder,
    env: env(v8Flags ? { MINIFLARE_WORKERD_V8_FLAGS: v8Flags } : {}),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill();
    await exited;
  };
  let printed = "";
  const url = await new Promise<string | undefined>((resolve) => {
    const late = setTimeout(resolve, 600_000, undefined);
    const read = (text: Buffer): void => {
      printed += text;
      const ready = /Ready on (http:\S+)/.exec(printed);
      if (!ready) return;
      clearTimeout(late);
      resolve(ready[1]);
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", read);
    void exited.then(() => resolve(undefined));
  });
  if (url !== undefined) return { url, pid: child.pid!, printed: () => printed, stop };
  await stop();
  throw new Error(`wrangler dev was not ready:\n${printed}`);
}
