/**
 * The part `faults`: commands whose n-th read, write, rename, fsync or fetch fails, is short or stalls, whose disk is full
 * from some call on, whose clock jumps, or which are killed; and loads from sources that misbehave.
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { pathOf, Running } from "../../cli/helpers.ts";
import type { Random } from "../../helpers/random.ts";
import { pick } from "../mutation/numbers.ts";
import { Broken, type Input, type Target } from "../target.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { SOURCE_TARGET } from "./sources.ts";

/** One disturbance of a run. */
export interface CommandFault {
  /** A kind of call; "kill" for a process that is killed by the clock. */
  readonly call: string;
  /** The call's number, from 1; of the call "kill", milliseconds after the start. */
  readonly number: number;
  readonly fault: "fails" | "ENOSPC" | "EACCES" | "EMFILE" | "short" | "stalls" | "forward" | "back" | "kill";
  /** Whether all later calls fail too, as on a full disk. */
  readonly forever: boolean;
}

const WRITES = ["write", "writev", "writeFile", "appendFile", "open", "mkdir"];

/** Most chances of one kind of call. */
const MOST = 8;

function drawFault(random: Random, { calls: counts }: Scenario): CommandFault {
  const kind = random.integer(0, 9);
  if (kind === 0) {
    const fault = pick(random, ["forward", "back"] as const);
    return { call: "clock", number: random.integer(1, counts.clock ?? 1), fault, forever: false };
  }
  const full = kind === 3 || kind === 4;
  // Kinds of few calls are drawn as often as others, but no kind more often than it has calls.
  const calls = Object.keys(counts)
    .filter((call) => call !== "clock" && (!full || WRITES.includes(call)))
    .sort()
    .flatMap((call) => Array<string>(Math.min(counts[call]!, MOST)).fill(call));
  const call = calls.length > 0 ? pick(random, calls) : "open";
  const number = random.integer(1, counts[call] ?? 1);
  // Files change by calls alone, so killing the process before each one meets every state, on a machine of any speed.
  if (kind <= 2) return { call, number, fault: "kill", forever: false };
  if (full) return { call, number, fault: "ENOSPC", forever: true };
  const fault = pick(random, ["fails", "EACCES", "EMFILE", "short", "stalls"] as const);
  return { call, number, fault, forever: random.integer(0, 3) === 0 };
}

const preload = pathToFileURL(pathOf("test/campaign/faults/preload.mjs")).href;

async function runNode(folder: string, args: readonly string[], faults: readonly CommandFault[]) {
  const kill = faults.find(({ call }) => call === "kill");
  const running = new Running(process.execPath, ["--import", preload, ...args], {
    cwd: folder,
    env: {
      ...process.env,
      NIBBLE_CACHE: join(folder, "cache"),
      NIBBLE_FAULTS: JSON.stringify(faults),
      ...(faults.length === 0 && { NIBBLE_FAULT_COUNTS: join(folder, "counts.json") }),
      NODE_OPTIONS: "",
    },
  });
  const timer = kill && setTimeout(() => running.child.kill("SIGKILL"), kill.number);
  const result = await running.result();
  clearTimeout(timer);
  return { ...result, signal: running.child.signalCode };
}

const good = new Map<string, Promise<string>>();

async function inFolder<T>({ prepare }: Scenario, run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "nibble-campaign-"));
  try {
    await prepare?.(folder);
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What an undisturbed run leaves. Says where it makes other calls than the scenario does. */
function goodRun(scenario: Scenario): Promise<string> {
  const make = (): Promise<string> =>
    inFolder(scenario, async (folder) => {
      const { code, stderr } = await runNode(folder, await scenario.args(folder, false), []);
      const result = scenario.result(folder);
      if (code !== 0 || result === undefined)
        throw new Broken(`undisturbed, ${scenario.name} ends with ${code}: ${stderr}`);
      const counts: Scenario["calls"] = JSON.parse(readFileSync(join(folder, "counts.json"), "utf8"));
      if (Object.entries(counts).some(([call, count]) => scenario.calls[call] !== count))
        console.error(`faults/${scenario.name}: a run makes these calls: ${JSON.stringify(counts)}`);
      return result;
    });
  if (!good.has(scenario.name)) good.set(scenario.name, make());
  return good.get(scenario.name)!;
}

const WRONG_WORDS = /internal error|UnhandledPromiseRejection|\n\s+at .*:\d+:\d+/;

async function runScenario(scenario: Scenario, faults: readonly CommandFault[]): Promise<string> {
  const expected = await goodRun(scenario);
  return inFolder(scenario, async (folder) => {
    const { code, stderr, signal } = await runNode(folder, await scenario.args(folder, false), faults);
    if (WRONG_WORDS.test(stderr)) throw new Broken(`an error without a sentence: ${stderr}`);
    if (code === 0) {
      if (scenario.result(folder) !== expected) throw new Broken("status 0, and the result is another one");
      return "works";
    }
    if (signal === null && !/^nibble/m.test(stderr)) throw new Broken(`status ${code} and no word on why: ${stderr}`);
    scenario.checkAfterFault?.(folder, expected);
    if (signal === null) checkLeftovers(folder, faults);
    const again = await runNode(folder, await scenario.args(folder, true), []);
    if (again.code !== 0) throw new Broken(`the run after the fault ends with ${again.code}: ${again.stderr}`);
    if (scenario.result(folder) !== expected) throw new Broken("the run after the fault leaves another result");
    return signal ?? "fails and goes on";
  });
}

/** A file that is written under another name is removed where writing fails, unless the removal is what fails. */
function checkLeftovers(folder: string, faults: readonly CommandFault[]): void {
  if (faults.some(({ call }) => call === "rm" || call === "unlink")) return;
  const left = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => UNFINISHED.test(name));
  if (left.length > 0) throw new Broken(`unfinished files are left: ${left.join(", ")}`);
}

/** Names of `writeFileAtomically`. */
const UNFINISHED = /\.[0-9a-f-]{36}\.tmp$/;

export const FAULT_TARGETS: readonly Target[] = [
  SOURCE_TARGET,
  ...SCENARIOS.map(
    (scenario): Target => ({
      part: "faults",
      name: `faults/${scenario.name}`,
      promise:
        "Whatever call fails, the command ends with a sentence or with the right result; what it leaves is whole; and the same command again gives the bytes of an undisturbed run.",
      inputs: 6,
      patience: 300,
      async generate(random) {
        return {
          base: scenario.name,
          steps: Array.from({ length: random.integer(1, 2) }, () => drawFault(random, scenario)),
        };
      },
      run: ({ steps }: Input) => runScenario(scenario, steps as readonly CommandFault[]),
    }),
  ),
];
