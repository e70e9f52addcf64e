import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);
export const pathOf = (name: string): string => fileURLToPath(new URL(name, root));
export const cli: string = pathOf("dist/cli.js");
/** A fixture model. Its tokenizer is too small for real text, so tests give it ids. */
export const fixtureModel: string = pathOf("test/fixtures/architectures/llama/model.gguf");

export const QUESTION = "A train travels at 65 km per hour for 4 hours. How far does it go?";

interface ReferenceCase {
  readonly question: string;
  readonly prompt: string;
  readonly prompt_ids: number[];
  readonly tokens: number[];
  readonly text: string;
}
/** crumb's conversations as transformers recorded them. */
export const reference: readonly ReferenceCase[] = JSON.parse(
  readFileSync(pathOf("models/crumb/reference.json"), "utf8"),
).cases;

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Matches progress lines. Work of more than a second reports them, which can be any work on a busy machine. */
const PROGRESS = /^.*: \d+ %(, .*)?\n/gm;

/** A child process, and what it has written so far. */
export class Running {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly exit: Promise<number | null>;

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.exit = new Promise((resolve, reject) => {
      this.child.on("error", reject);
      this.child.on("close", resolve);
    });
  }

  /**
   * Resolves with the position after `text` as soon as stdout has it at or after `from`. Rejects if the child ends without
   * writing it; there is no other time limit than that of the test.
   */
  until(text: string, from = 0): Promise<number> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const at = this.stdout.indexOf(text, from);
        if (at < 0) return;
        this.child.stdout?.off("data", look);
        resolve(at + text.length);
      };
      this.child.stdout?.on("data", look);
      look();
      const failed = (): void =>
        reject(new Error(`expected ${JSON.stringify(text)}, got ${JSON.stringify(this.stdout)}`));
      this.exit.then(failed, reject);
    });
  }

  async result(): Promise<Result> {
    const code = await this.exit;
    return { code, stdout: this.stdout, stderr: this.stderr.replace(PROGRESS, "") };
  }
}

/** Runs the built command; `input` goes to its stdin, which is /dev/null otherwise. */
export async function nibble(args: readonly string[], input?: string): Promise<Result> {
  if (input === undefined) return new Running(process.execPath, [cli, ...args]).result();
  const running = new Running(process.execPath, [cli, ...args], { stdio: "pipe" });
  running.child.stdin!.end(input);
  return running.result();
}

/** The command's JSON answer; fails if the command failed. */
export async function nibbleJson(args: readonly string[], input?: string) {
  const { code, stdout, stderr } = await nibble([args[0]!, "--json", ...args.slice(1)], input);
  if (code !== 0) throw new Error(`nibble ${args.join(" ")} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Runs a shell line in which `nibble` is the built command. */
export function shell(line: string): Running {
  return new Running("sh", ["-c", `nibble() { "${process.execPath}" "${cli}" "$@"; }; ${line}`]);
}
