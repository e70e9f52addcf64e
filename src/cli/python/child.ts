/**
 * The process in which one program of a model runs, by Python in WebAssembly (Pyodide). `sealed-process.ts` starts it without
 * permissions; it never runs a second program, and it is killed after its answer.
 * @module
 */
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { readFileSync, writeSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { Job } from "../../eval/code/runner.ts";
import { HARNESS, PRELOADED } from "./harness.ts";
import type { Answer, Order } from "./messages.ts";

/** The part of Pyodide's interface that is used. */
interface Pyodide {
  runPython(source: string): unknown;
  makeMemorySnapshot(): Uint8Array;
}
interface Harness {
  readonly script: (source: string) => string;
  readonly prepare: (source: string, name: string | undefined, tests: string) => string;
  readonly step: (index: number) => string;
}

let harness: Harness | undefined;

function answer(value: Answer): void {
  const line = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  for (let at = 0; at < line.length; ) at += writeSync(1, line, at);
}

async function load({ pyodide, snapshot }: Extract<Order, { type: "load" }>): Promise<void> {
  // Pyodide asks for a binding of Node that a process without permissions does not get, and needs nothing of it.
  Object.assign(process, { binding: () => ({ fs: {} }) });
  const { loadPyodide } = (await import(pathToFileURL(join(pyodide, "pyodide.mjs")).href)) as {
    loadPyodide(options: object): Promise<Pyodide>;
  };
  const python = await loadPyodide({
    indexURL: pyodide,
    jsglobals: Object.create(null),
    env: { HOME: "/home" },
    stdin: () => null,
    stdout: () => {},
    stderr: () => {},
    ...(snapshot === undefined ? { _makeSnapshot: true } : { _loadSnapshot: readFileSync(snapshot) }),
  });
  if (snapshot === undefined) {
    python.runPython(PRELOADED);
    const memory = python.makeMemorySnapshot();
    answer({ type: "snapshot", bytes: memory.length });
    process.stdout.write(memory);
    return;
  }
  const functions = python.runPython(HARNESS) as { toJs(): [Harness["script"], Harness["prepare"], Harness["step"]] };
  const [script, prepare, step] = functions.toJs();
  harness = { script, prepare, step };
  // Pyodide would load packages by these.
  for (const name of ["fetch", "WebSocket", "EventSource", "XMLHttpRequest"]) Reflect.deleteProperty(globalThis, name);
  answer({ type: "loaded" });
}

interface Deno {
  readonly permissions: { querySync(permission: { name: string }): { readonly state: string } };
}

/** Tries what a program must not be able to do; Deno says what is allowed. */
async function probe(): Promise<void> {
  const { Deno } = globalThis as { Deno?: Deno };
  if (Deno) {
    const names = ["net", "run", "read", "write", "env", "ffi", "sys"];
    const granted = names.filter((name) => Deno.permissions.querySync({ name }).state === "granted");
    return answer({ type: "probed", open: granted });
  }
  const open: string[] = [];
  const attempt = (name: string, action: () => unknown): void => {
    try {
      if (action() !== false) open.push(name);
    } catch {
      // It is closed.
    }
  };
  attempt("files", () => readFileSync(process.execPath));
  attempt("processes", () => spawnSync(process.execPath, ["--version"]).status === 0);
  attempt("threads", () => new Worker("", { eval: true }).unref());
  attempt("environment variables", () => Object.keys(process.env).some((name) => !/^(SystemRoot|__CF\w*)$/.test(name)));
  const outcomes = await Promise.all([connects(), bindsDatagrams()]);
  if (outcomes.includes(true)) open.push("the network");
  answer({ type: "probed", open });
}

/** Errors of a socket that was not even made, or not allowed: nothing left the process. */
const CLOSED = ["EMFILE", "ERR_ACCESS_DENIED", "EPERM", "EACCES"];
const isClosed = (error: unknown): boolean => CLOSED.includes((error as { code?: string }).code ?? "");

/** Whether a connection to this machine can be tried. Port 9 discards what it gets. */
function connects(): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const socket = createConnection({ host: "127.0.0.1", port: 9 });
      socket.on("connect", () => resolve(true)).on("error", (error) => resolve(!isClosed(error)));
    } catch (error) {
      resolve(!isClosed(error));
    }
  });
}

function bindsDatagrams(): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const socket = createSocket("udp4", () => {});
      socket.on("error", (error) => resolve(!isClosed(error)));
      socket.bind(0, "127.0.0.1", () => resolve(true));
    } catch (error) {
      resolve(!isClosed(error));
    }
  });
}

function run(job: Job): void {
  let testsPassed = 0;
  let [since, cpu] = [performance.now(), process.cpuUsage()];
  /** Ends a step: why the program is not right, or "". Time counts that was spent on it, and not on other processes. */
  const timed = (reason: string): string => {
    const { user, system } = process.cpuUsage(cpu);
    const spent = Math.min(performance.now() - since, (user + system) / 1000);
    [since, cpu] = [performance.now(), process.cpuUsage()];
    return spent > job.seconds * 1000 ? "timed out" : reason;
  };
  let reason = "";
  try {
    const { script, prepare, step } = harness!;
    if (job.kind === "script") reason = timed(script(job.source));
    else {
      reason = timed(prepare(job.source, job.function, JSON.stringify(job.tests)));
      for (let i = 0; i < job.tests.length && reason === ""; i++) {
        answer({ type: "step" });
        reason = timed(step(i));
        if (reason === "") testsPassed++;
      }
    }
  } catch (error) {
    // The interpreter broke down, such as by a recursion that its stack could not hold.
    reason = `the interpreter ended: ${(error as Error).name}`;
  }
  answer({ type: "result", reason, testsPassed });
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order;
  if (order.type === "load") await load(order);
  else if (order.type === "probe") await probe();
  else run(order.job);
}
