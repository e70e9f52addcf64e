/**
 * Measures whole models: llama-bench's tests in every engine in turn, round after round, with the machine's limits measured
 * before each test. Samples of one round ran within a minute, so that their ratios hold on a machine that others use too.
 * @module
 */
import { type Facts, factsOf, type TestResult, testName, testResult } from "../src/cli/llama-bench.ts";
import type { Test } from "../src/cli/throughput.ts";
import type { Checkpoint } from "../src/formats/checkpoint.ts";
import type { Waits } from "../src/runtime/threads.ts";
import { type Engine, label } from "./engines.ts";
import { type LimitKind, limitName } from "./limit-process.ts";
import { dotLimit, type Limits } from "./limits.ts";
import type { Contender, Timed } from "./peers/contender.ts";
import { ratio, type Spread, spread } from "./statistics.ts";

/** One engine and one test in the tables: llama-bench's fields, and ours. */
export interface Row extends TestResult {
  readonly engine: string;
  readonly ours: boolean;
  readonly test: string;
  /** Multiply-adds of the matrix products per second, in units of 10^9, one value per round. */
  readonly samples_gmacs: readonly number[];
  /** The multiply-adds as a share of the limit of as many threads and the same instruction; only for our engines. */
  readonly dot_share?: Spread;
  /** GB of weights read per second, for decode; a prompt reads the weights once per chunk. */
  readonly samples_gbs?: readonly number[];
  /** The weights read as a share of reading by as many threads; only for our engines. */
  readonly read_share?: Spread;
  /** Barriers per step, and the share of the time that the first thread waited there; only for several threads. */
  readonly barriers?: number;
  readonly waiting?: Spread;
  /** Joules per token of the processor package, where the machine counts them. */
  readonly samples_joules?: readonly number[];
}

/** The work of a model: multiply-adds per token in the layers and in the head, and bytes of weights that a step reads. */
export interface Work {
  readonly bodyMacs: number;
  readonly headMacs: number;
  readonly stepBytes: number;
}

/** Counts the matrices of the layers, which every token meets, and the head, which only rows with logits meet. */
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

/** The multiply-adds of one run of a test. */
export function macsOf({ prompt, gen, sequences = 1 }: Test, { bodyMacs, headMacs }: Work): number {
  return sequences * (prompt > 0 ? prompt * bodyMacs + headMacs : gen * (bodyMacs + headMacs));
}

/** The samples of one engine and one test, and the machine's limits for as many threads in the same rounds. */
export interface Samples {
  readonly engine: Pick<Engine, "name" | "threads" | "build" | "packed">;
  readonly test: Test;
  readonly nanoseconds: readonly number[];
  readonly limits: readonly Limits[];
  /** Only for our engines with several threads. */
  readonly waits: readonly Waits[];
  /** Only where the machine counts them. */
  readonly joules: readonly number[];
}

export interface Subject {
  readonly facts: Facts;
  readonly work: Work;
}

/** Describes the model. Each engine runs with its own default of batch and cache; the fields name ours. */
export function subjectOf(checkpoint: Checkpoint, path: string): Subject {
  return { facts: factsOf(checkpoint, { model: path, batch: 128, kv: "mixed" }), work: workOf(checkpoint.tensors) };
}

export function rowOf({ engine, test, nanoseconds, limits, waits, joules }: Samples, { facts, work }: Subject): Row {
  const { name, threads, build, packed } = engine;
  const gmacs = nanoseconds.map((ns) => macsOf(test, work) / ns);
  const gbs = nanoseconds.map((ns) => (test.gen * work.stepBytes) / ns);
  const dot = dotLimit(build ?? "", facts.model_type);
  const { gen, prompt, sequences = 1 } = test;
  return {
    ...testResult(test, nanoseconds, {
      ...facts,
      backends: build ? `wasm-${build}${packed ? "-revectorized" : ""}` : name,
      n_threads: threads,
    }),
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
    ...(waits.length > 0 && {
      barriers: waits[0]!.barriers / (gen || Math.ceil(prompt / facts.n_batch)),
      waiting: spread(waits.map(({ seconds }, round) => (1e9 * seconds) / nanoseconds[round]!)),
    }),
    ...(joules.length > 0 && { samples_joules: joules.map((sum) => sum / (sequences * (gen || prompt))) }),
  };
}

export interface Plan {
  readonly engines: readonly Engine[];
  readonly tests: readonly Test[];
  readonly rounds: number;
  readonly slowRounds: number;
  /** Measures the limits of a kind of engine once. */
  readonly limits: (kind: LimitKind) => Promise<Limits>;
  /** Counts joules, where the machine does. */
  readonly energy?: (() => number) | undefined;
  readonly say: (line: string) => void;
}

const kindOf = ({ threads, packed = false }: Engine): LimitKind => ({ threads, packed });

/** An engine that runs, with the tests that it can run. */
interface Entry {
  readonly engine: Engine;
  readonly contender: Contender;
  readonly timed: Map<Test, Timed>;
}

/** Runs a plan. Engines that cannot start, or that fail later, are left out; `gaps` says why. */
export async function runModels(
  plan: Plan,
): Promise<{ samples: Samples[]; about: Map<string, string>; gaps: string[] }> {
  const run = new Run(plan);
  try {
    for (const engine of plan.engines) await run.add(engine);
    for (let round = 0; round < plan.rounds; round++) await run.round(round);
    return { samples: [...run.samples.values()], about: run.about, gaps: run.gaps };
  } finally {
    await run.close();
  }
}

interface Collected extends Samples {
  readonly nanoseconds: number[];
  readonly limits: Limits[];
  readonly waits: Waits[];
  readonly joules: number[];
}

/** The engines that take part, and what was measured so far. */
class Run {
  readonly samples: Map<string, Collected> = new Map();
  readonly about: Map<string, string> = new Map();
  readonly gaps: string[] = [];
  readonly #plan: Plan;
  #entries: Entry[] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Starts an engine and prepares its tests. A peer that runs the same code as an earlier one is left out. */
  async add(engine: Engine): Promise<void> {
    let contender: Contender | undefined;
    try {
      contender = await engine.start();
      const { about } = contender;
      const twin = [...this.about].find(([, text]) => text === about && !engine.build)?.[0];
      if (twin && twin !== engine.name) throw new Error(`the same as ${twin} on this CPU`);
      const timed = new Map<Test, Timed>();
      this.#entries.push({ engine, contender, timed });
      for (const test of this.#plan.tests) if (engine.can(test)) timed.set(test, await contender.prepare(test));
      this.about.set(engine.name, about);
      this.#plan.say(`ready: ${label(engine)}`);
    } catch (error) {
      await this.#leaveOut(engine, error, contender);
    }
  }

  /** Takes one sample of every test in every engine, and the limits before each test. */
  async round(round: number): Promise<void> {
    const { tests, rounds, slowRounds, say } = this.#plan;
    for (const test of tests) {
      const limits = await this.#measureLimits();
      for (const { engine, contender, timed } of this.#entries) {
        const run = timed.get(test);
        if (!run || (engine.slow && round >= slowRounds)) continue;
        try {
          const before = this.#plan.energy?.();
          const sample = await run();
          const kept = this.#keep({ engine, test });
          kept.nanoseconds.push(Math.round(1e9 * sample.seconds));
          kept.limits.push(limits.get(limitName(kindOf(engine)))!);
          if (sample.waits) kept.waits.push(sample.waits);
          if (before !== undefined) kept.joules.push(this.#plan.energy!() - before);
        } catch (error) {
          await this.#leaveOut(engine, error, contender);
        }
      }
    }
    say(`round ${round + 1} of ${rounds}`);
  }

  async close(): Promise<void> {
    for (const { contender } of this.#entries) await contender.close();
  }

  async #measureLimits(): Promise<Map<string, Limits>> {
    const kinds = new Map(this.#plan.engines.map((engine) => [limitName(kindOf(engine)), kindOf(engine)]));
    const limits = new Map<string, Limits>();
    for (const [name, kind] of kinds) limits.set(name, await this.#plan.limits(kind));
    return limits;
  }

  #keep({ engine, test }: Pick<Samples, "test"> & { engine: Engine }): Collected {
    const key = `${label(engine)} ${testName(test)}`;
    const kept = this.samples.get(key) ?? { engine, test, nanoseconds: [], limits: [], waits: [], joules: [] };
    this.samples.set(key, kept);
    return kept;
  }

  async #leaveOut(engine: Engine, error: unknown, contender: Contender | undefined): Promise<void> {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    this.gaps.push(`${label(engine)}: ${reason}`);
    this.#plan.say(`left out: ${label(engine)}: ${reason}`);
    this.#entries = this.#entries.filter((entry) => entry.engine !== engine);
    await contender?.close().catch(() => {});
  }
}
