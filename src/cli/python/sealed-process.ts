/**
 * A process that can reach nothing: no files besides Pyodide's, no network, no other processes, no threads, no environment.
 *
 * What closes it is never a replaced function, since Python reaches JavaScript's objects from inside of Pyodide:
 * - Node's permission model, or Deno's: files, processes and threads. Before Node 25 it leaves the network open.
 * - On Linux the limit of open files is then set to none, so that no socket can be made; the size of its memory and of
 *   files that it may write are limited as well. On macOS the system's sandbox refuses the network.
 * - V8 makes no code from texts, which is what an object of JavaScript would be good for, and caps WebAssembly's memory.
 *
 * Before a program runs, the process tries all ways out itself (`child.ts`, `probe`). If one is open it is not used.
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { NibbleError } from "../../base/errors.ts";
import type { Answer, Order } from "./messages.ts";

const CHILD: string = fileURLToPath(new URL("./python-child.js", import.meta.url));
/** Most memory of the interpreter, and of the whole process. */
const WASM_BYTES = 512 * 2 ** 20;
const PROCESS_BYTES = 2 * 2 ** 30;
/** More than the answers to all tests of a program. Only a process that a program has taken over would write more. */
const ANSWER_BYTES = 2 ** 20;
const NEWLINE = 10;
/** The unit of time in Linux's /proc. */
const TICKS_PER_SECOND = 100;
/** A start takes half a second; the rest is for machines that do much else. */
const START_SECONDS = 120;
/** Code from texts is refused, WebAssembly's memory is bounded, and recursion gets most of the main thread's 8 MiB. */
const V8_FLAGS = [
  "--disallow-code-generation-from-strings",
  `--wasm-max-mem-pages=${WASM_BYTES / 2 ** 16}`,
  ...(process.platform === "win32" ? [] : ["--stack-size=6000"]),
];

/** Where Pyodide is, and the memory of an interpreter that is loaded. */
export interface Interpreter {
  readonly pyodide: string;
  readonly snapshot?: string;
}

export class SealedProcess {
  readonly #child: ChildProcess;
  /** What was written and is not read yet. */
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #errors = "";
  #ended: string | undefined;
  #changed: () => void = () => {};

  /**
   * @param files what it may read
   * @param most bytes that are held of what it writes; if it writes more, it is killed
   */
  constructor(files: readonly string[], most: number = ANSWER_BYTES) {
    const [command, ...args] = commandLine(files);
    this.#child = spawn(command!, [...args, CHILD], {
      cwd: dirname(CHILD),
      env: process.platform === "win32" ? { SystemRoot: process.env.SystemRoot } : {},
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
    });
    this.#child.stdout!.on("data", (bytes: Buffer) => {
      if (this.#receivedBytes + bytes.length > most) return this.kill();
      this.#received.push(bytes);
      this.#receivedBytes += bytes.length;
      this.#changed();
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-2000);
    });
    this.#child.stdin!.on("error", () => {}); // It is gone; `close` says so.
    const end = (how: string): void => {
      this.#ended ??= how;
      this.#changed();
    };
    this.#child.on("error", (error) => end(error.message));
    this.#child.on("close", (code, signal) => end(signal ?? `exit code ${code}`));
  }

  /**
   * Starts a process with a loaded interpreter, and closes it.
   * @throws NibbleError `unsupported_host` if something stays open; `internal` if it does not start
   */
  static async start({ pyodide, snapshot }: Required<Interpreter>): Promise<SealedProcess> {
    const own = new SealedProcess([pyodide, snapshot]);
    try {
      await own.#ask({ type: "load", pyodide, snapshot }, "loaded");
      limit(own.#child.pid!);
      const { open } = await own.#ask({ type: "probe" }, "probed");
      if (open.length > 0) throw notSealed(open);
      return own;
    } catch (error) {
      own.kill();
      throw error;
    }
  }

  /** The memory of an interpreter that has just been loaded: from it others start in a tenth of the time. */
  static async snapshot(pyodide: string): Promise<Uint8Array> {
    const own = new SealedProcess([pyodide], ANSWER_BYTES + WASM_BYTES);
    try {
      const order = { type: "load", pyodide, snapshot: undefined } as const;
      const { bytes } = await own.#ask(order, "snapshot");
      while (own.#receivedBytes < bytes) if (!(await own.#change(START_SECONDS))) throw own.#failure();
      return Buffer.concat(own.#received, bytes);
    } finally {
      own.kill();
    }
  }

  send(order: Order): void {
    this.#child.stdin!.write(`${JSON.stringify(order)}\n`);
  }

  /**
   * The next answer; undefined if none comes in time, or the process ended.
   * @param seconds of computing: where the machine does much else, the process gets up to ten times as long
   */
  async next(seconds: number): Promise<Answer | undefined> {
    const started = { cpu: this.#cpuSeconds(), at: performance.now() };
    for (let wait = seconds; ; ) {
      const line = this.#takeLine();
      if (line !== undefined) return JSON.parse(line);
      if (await this.#change(wait)) continue;
      const used = this.#cpuSeconds() - started.cpu;
      const all = (performance.now() - started.at) / 1000;
      if (this.ended || Number.isNaN(used) || used >= seconds || all >= 10 * seconds) return undefined;
      wait = Math.max(0.1, seconds - used);
    }
  }

  /** The next line that it has written, without its end; undefined if it is not complete. */
  #takeLine(): string | undefined {
    const last = this.#received.findIndex((bytes) => bytes.includes(NEWLINE));
    if (last < 0) return undefined;
    const bytes = Buffer.concat(this.#received.splice(0, last + 1));
    const end = bytes.indexOf(NEWLINE);
    this.#received.unshift(bytes.subarray(end + 1));
    this.#receivedBytes -= end + 1;
    return bytes.subarray(0, end).toString();
  }

  /** What the process has computed; NaN where that cannot be known. */
  #cpuSeconds(): number {
    if (process.platform !== "linux") return Number.NaN;
    try {
      const stat = readFileSync(`/proc/${this.#child.pid}/stat`, "latin1");
      const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14).map(Number);
      return (user! + system!) / TICKS_PER_SECOND;
    } catch {
      return Number.NaN;
    }
  }

  /** Whether the process has ended by itself. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #ask<T extends Answer["type"]>(order: Order, type: T): Promise<Extract<Answer, { type: T }>> {
    this.send(order);
    const answer = await this.next(START_SECONDS);
    if (answer?.type === type) return answer as Extract<Answer, { type: T }>;
    throw this.#failure();
  }

  /** Waits for more output. Resolves to false at the end of the process or of the time. */
  #change(seconds: number): Promise<boolean> {
    if (this.#ended !== undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), seconds * 1000);
      this.#changed = () => {
        clearTimeout(timer);
        resolve(this.#ended === undefined || this.#receivedBytes > 0);
      };
    });
  }

  #failure(): NibbleError {
    const how = this.#ended ?? `no answer within ${START_SECONDS} s`;
    return new NibbleError("internal", `--run-code: Python did not start (${how})\n${this.#errors}`);
  }
}

/** How this host starts a process without permissions that may read some files. */
function commandLine(files: readonly string[]): string[] {
  if ("Bun" in globalThis)
    throw new NibbleError(
      "unsupported_host",
      "--run-code: Bun cannot start a process without permissions; use Node or Deno",
    );
  const readable = [CHILD, manifestOf(CHILD), ...files].filter((path) => path !== undefined);
  if ("Deno" in globalThis)
    return [
      process.execPath,
      ...["run", "--quiet", "--no-prompt", "--no-config", "--no-lock", "--no-remote"],
      `--allow-read=${readable.join(",")}`,
      `--v8-flags=${V8_FLAGS.join(",")}`,
    ];
  const permission = process.allowedNodeEnvironmentFlags.has("--permission")
    ? "--permission"
    : "--experimental-permission";
  return [
    ...(process.platform === "darwin" ? ["sandbox-exec", "-p", "(version 1)(allow default)(deny network*)"] : []),
    ...[process.execPath, "--no-warnings", permission],
    ...readable.map((path) => `--allow-fs-read=${path}`),
    ...V8_FLAGS,
  ];
}

/** The package.json by which Node decides that a file is a module. */
function manifestOf(file: string): string | undefined {
  const folder = dirname(file);
  const path = join(folder, "package.json");
  if (existsSync(path)) return path;
  return folder === dirname(folder) ? undefined : manifestOf(folder);
}

/**
 * Lets a process that has all its files open no more of anything, sockets among them. If this process is killed, the other
 * one computes for an hour at most.
 */
function limit(pid: number): void {
  if (process.platform !== "linux") return;
  const limits = ["--fsize=0:0", "--core=0:0", "--cpu=3600:3600", `--data=${PROCESS_BYTES}:${PROCESS_BYTES}`];
  // Deno's permissions close the network themselves, and its runtime ends where it cannot open a file.
  if (!("Deno" in globalThis)) limits.push("--nofile=0:0");
  spawnSync("prlimit", ["--pid", String(pid), ...limits], { stdio: "ignore" });
}

function notSealed(open: readonly string[]): NibbleError {
  const advice =
    process.platform === "linux"
      ? "install prlimit (Debian's and Alpine's package util-linux), or use Node 25 or newer, or Deno"
      : "use Node 25 or newer, or Deno";
  return new NibbleError(
    "unsupported_host",
    `--run-code: programs would not be kept from ${open.join(", ")}, so none is run; ${advice}`,
  );
}
