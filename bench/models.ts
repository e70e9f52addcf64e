/**
 * Whole models: llama-bench's tests in every engine, one after the other, round after round, with the machine's limits
 * measured before each. Samples of one round ran within a minute, so their ratios hold on a machine that others use too.
 * @module
 */
import { type Facts, facts, type Report, report, testName } from "../src/cli/llama-bench.ts";
import type { Test } from "../src/cli/throughput.ts";
import type { Checkpoint } from "../src/formats/checkpoint.ts";
import { type Engine, label } from "./engines.ts";
import { dotLimit, type Limits } from "./limits.ts";
import type { Contender, Timed } from "./peers/contender.ts";
import { ratio, type Spread } from "./statistics.ts";

/** llama-bench's fields, and ours. */
export interface Row extends Report {
  readonly engine: string;
  readonly ours: boolean;
  readonly test: string;
  /** G multiply-adds a second of the matrix products, one for each round. */
  readonly samples_gmacs: readonly number[];
  /** As a share of what as many threads are allowed of the instruction that they can use; ours only. */
  readonly dot_share?: Spread;
  /** Weights read a second, in GB. Of decode: a prompt reads them once a chunk. */
  readonly samples_gbs?: readonly number[];
  /** As a share of sequential reading by as many threads; ours only. */
  readonly read_share?: Spread;
}

/** What a test computes: multiply-adds, and bytes of weights that each step reads. */
export interface Work {
  readonly bodyMacs: number;
  readonly headMacs: number;
  readonly stepBytes: number;
}

/** Matrices that every token meets, and the head, which only rows that ask for logits meet. */
export function workOf(tensors: Checkpoint["tensors"]): Work {
  let bodyMacs = 0;
  let stepBytes = 0;
  for (const { name, shape, byteLength } of tensors.values()) {
    if (shape.length < 2 || name === "token_embd.weight" || name === "output.weight") continue;
    bodyMacs += shape[0]! * shape[1]!;
    stepBytes += byteLength;
  }
  const head = tensors.get("output.weight") ?? tensors.get("token_embd.weight")!;
  return { bodyMacs, headMacs: head.shape[0]! * head.shape[1]!, stepBytes: stepBytes + head.byteLength };
}

/** Multiply-adds of one run of a test. */
export function macsOf({ prompt, gen, sequences = 1 }: Test, { bodyMacs, headMacs }: Work): number {
  return sequences * (prompt > 0 ? prompt * bodyMacs + headMacs : gen * (bodyMacs + headMacs));
}

/** Samples of one engine and one test, and what the machine allowed as many threads in the same rounds. */
export interface Samples {
  readonly engine: Pick<Engine, "name" | "threads" | "build">;
  readonly test: Test;
  readonly nanoseconds: readonly number[];
  readonly limits: readonly Limits[];
}

export interface Subject {
  readonly facts: Facts;
  readonly work: Work;
}

/** Batch and cache are each engine's default; the fields say ours. */
export function subjectOf(checkpoint: Checkpoint, path: string): Subject {
  return { facts: facts(checkpoint, { model: path, batch: 128, kv: "mixed" }), work: workOf(checkpoint.tensors) };
}

export function rowOf({ engine, test, nanoseconds, limits }: Samples, { facts, work }: Subject): Row {
  const { name, threads, build } = engine;
  const gmacs = nanoseconds.map((ns) => macsOf(test, work) / ns);
  const gbs = nanoseconds.map((ns) => (test.gen * work.stepBytes) / ns);
  const dot = dotLimit(build ?? "", facts.model_type);
  return {
    ...report(test, nanoseconds, { ...facts, backends: build ? `wasm-${build}` : name, n_threads: threads }),
    engine: name,
    ours: build !== undefined,
    test: testName(test),
    samples_gmacs: gmacs,
    ...(build && { dot_share: ratio(gmacs, limits.map(dot)) }),
    ...(test.gen > 0 && { samples_gbs: gbs }),
    ...(build &&
      test.gen > 0 && {
        read_share: ratio(
          gbs,
          limits.map(({ read }) => read),
        ),
      }),
  };
}

export interface Plan {
  readonly engines: readonly Engine[];
  readonly tests: readonly Test[];
  readonly rounds: number;
  readonly slowRounds: number;
  /** Measures once what a number of threads is allowed. */
  readonly limits: (threads: number) => Promise<Limits>;
  readonly say: (line: string) => void;
}

/** An engine in the ring, with one entry for each test that it can run. */
interface Entry {
  readonly engine: Engine;
  readonly contender: Contender;
  readonly timed: Map<Test, Timed>;
}

/** Runs a plan. Engines that cannot start, or that fail later, are left out; `gaps` says why. */
export async function runModels(
  plan: Plan,
): Promise<{ samples: Samples[]; about: Map<string, string>; gaps: string[] }> {
  const gaps: string[] = [];
  const about = new Map<string, string>();
  let entries: Entry[] = [];
  const leaveOut = async (engine: Engine, error: unknown, contender?: Contender): Promise<void> => {
    gaps.push(`${label(engine)}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
    plan.say(`left out: ${gaps.at(-1)}`);
    entries = entries.filter((entry) => entry.engine !== engine);
    await contender?.close().catch(() => {});
  };
  try {
    for (const engine of plan.engines) {
      let contender: Contender | undefined;
      try {
        contender = await engine.start();
        const twin = [...about].find(([, text]) => text === contender!.about && !engine.build)?.[0];
        if (twin && twin !== engine.name) throw new Error(`the same as ${twin} on this CPU`);
        const timed = new Map<Test, Timed>();
        entries.push({ engine, contender, timed });
        for (const test of plan.tests) if (engine.can(test)) timed.set(test, await contender.prepare(test));
        about.set(engine.name, contender.about);
        plan.say(`ready: ${label(engine)}`);
      } catch (error) {
        await leaveOut(engine, error, contender);
      }
    }
    const samples = await measureRounds(plan, () => entries, leaveOut);
    return { samples, about, gaps };
  } finally {
    for (const { contender } of entries) await contender.close();
  }
}

async function measureRounds(
  plan: Plan,
  entries: () => readonly Entry[],
  leaveOut: (engine: Engine, error: unknown, contender: Contender) => Promise<void>,
): Promise<Samples[]> {
  const samples = new Map<string, { engine: Engine; test: Test; nanoseconds: number[]; limits: Limits[] }>();
  for (let round = 0; round < plan.rounds; round++) {
    for (const test of plan.tests) {
      const allowed = new Map<number, Limits>();
      for (const { threads } of plan.engines)
        if (!allowed.has(threads)) allowed.set(threads, await plan.limits(threads));
      for (const { engine, contender, timed } of entries()) {
        const run = timed.get(test);
        if (!run || (engine.slow && round >= plan.slowRounds)) continue;
        try {
          const nanoseconds = Math.round(1e9 * (await run()));
          const key = `${label(engine)} ${testName(test)}`;
          const kept = samples.get(key) ?? { engine, test, nanoseconds: [], limits: [] };
          samples.set(key, kept);
          kept.nanoseconds.push(nanoseconds);
          kept.limits.push(allowed.get(engine.threads)!);
        } catch (error) {
          await leaveOut(engine, error, contender);
        }
      }
    }
    plan.say(`round ${round + 1} of ${plan.rounds}`);
  }
  return [...samples.values()];
}
