/**
 * One model on every build: the logits must have the same bits, and the debug build, whose assertions are on and whose
 * regions of memory lie between guards, must neither stop nor touch a guard.
 * @module
 */
import type { Checkpoint } from "../../../src/formats/checkpoint.ts";
import { loadExecutor, planExecutor } from "../../../src/load/executor.ts";
import type { LoadOptions } from "../../../src/load/options.ts";
import { WasmExecutor } from "../../../src/runtime/executor.ts";
import { instantiate } from "../../../src/runtime/kernels.ts";
import type { MemoryPlan } from "../../../src/runtime/memory-plan.ts";
import { loadWeights } from "../../../src/runtime/weights.ts";
import { testHost } from "../../helpers/models.ts";
import { wasmBytes } from "../../helpers/wasm-builds.ts";
import { Broken } from "../target.ts";

/** Bytes of a guard before each region, and behind the last. */
const GUARD_BYTES = 65536;
/** Every 32-bit word of a guard is a NaN, so that a value read from one shows in the logits. */
const GUARD_BYTE = 0xff;

const LIMITS = { contextLength: 32, maxBatchTokens: 8, maxSequences: 2, memoryLimit: 96 * 2 ** 20 };
/** How the models of the campaign are loaded: they are small, and so is what they may take. */
export const OPTIONS: LoadOptions = { ...LIMITS, threads: 1 };

/** The plan with a guard before every region. */
export function withGuards(plan: MemoryPlan): { plan: MemoryPlan; guards: readonly number[] } {
  const regions = (Object.keys(plan.base) as (keyof MemoryPlan["base"])[]).sort((a, b) => plan.base[a] - plan.base[b]);
  const base = { ...plan.base };
  for (const [i, region] of regions.entries()) base[region] += (i + 1) * GUARD_BYTES;
  const guards = regions.map((region) => base[region] - GUARD_BYTES);
  const total = plan.total + (regions.length + 1) * GUARD_BYTES;
  return { plan: { ...plan, base, total }, guards: [...guards, total - GUARD_BYTES] };
}

/** The logits of a few tokens, or the states of a model that does not generate: in chunks, then one token at a time. */
function results(executor: WasmExecutor): Float32Array {
  const { vocabSize, maxBatchTokens, contextLength } = executor;
  const ids = Array.from({ length: Math.min(10, contextLength) }, (_, i) => (i * 7919 + 13) % vocabSize);
  const sequence = executor.createSequence();
  const rows: Float32Array[] = [];
  const step = (tokens: readonly number[]): void => {
    const batch = [{ sequence, tokens, logits: "last" as const }];
    for (const row of executor.generates ? executor.forward(batch) : executor.hiddenStates(batch))
      rows.push(row.slice());
  };
  const first = Math.min(maxBatchTokens, ids.length);
  step(ids.slice(0, first));
  if (!executor.bidirectional) for (const id of ids.slice(first)) step([id]);
  sequence.dispose();
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

/** Which NaN an operation gives is open in WebAssembly, so that all count as the same. */
function sameBits(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]!));
}

async function onBuild(checkpoint: Checkpoint, options: LoadOptions): Promise<Float32Array> {
  const executor = await loadExecutor(checkpoint, testHost, { ...OPTIONS, ...options });
  try {
    return results(executor);
  } finally {
    executor.dispose();
  }
}

let debugModule: Promise<WebAssembly.Module> | undefined;

async function onGuardedDebugBuild(checkpoint: Checkpoint): Promise<Float32Array> {
  debugModule ??= WebAssembly.compile(wasmBytes("debug"));
  const { program, memoryOptions, memoryPlan } = await planExecutor(checkpoint, OPTIONS);
  const { plan, guards } = withGuards(memoryPlan);
  const instance = await instantiate(await debugModule, plan.total, false);
  const guard = (at: number): Uint8Array => new Uint8Array(instance.memory.buffer, at, GUARD_BYTES);
  for (const at of guards) guard(at).fill(GUARD_BYTE);
  const executor = new WasmExecutor({ instance, program, plan, options: memoryOptions, threads: 1 });
  await loadWeights({ instance, plan, weights: program.weights }, {});
  try {
    return results(executor);
  } finally {
    executor.dispose();
    const touched = guards.findIndex((at) => guard(at).some((byte) => byte !== GUARD_BYTE));
    // biome-ignore lint/correctness/noUnsafeFinally: a touched guard explains whatever else went wrong
    if (touched >= 0) throw new Broken(`a kernel wrote outside of its region: guard ${touched} has changed`);
  }
}

/**
 * @param open opens the header anew, for each build
 * @throws NibbleError where the model is refused, by every build in the same way
 */
export async function compareBuilds(open: () => Promise<Checkpoint>, threads: number): Promise<void> {
  const closing = async <T>(run: (checkpoint: Checkpoint) => Promise<T>): Promise<T> => {
    const checkpoint = await open();
    try {
      return await run(checkpoint);
    } finally {
      await checkpoint.close();
    }
  };
  const expected = await closing((checkpoint) => onBuild(checkpoint, { build: "simd" }));
  const others: readonly [string, (checkpoint: Checkpoint) => Promise<Float32Array>][] = [
    ["relaxed", (checkpoint) => onBuild(checkpoint, { build: "relaxed" })],
    [`threads (${threads})`, (checkpoint) => onBuild(checkpoint, { build: "threads", threads })],
    ["debug", onGuardedDebugBuild],
  ];
  for (const [name, run] of others) {
    const got = await closing(run).catch((cause: Error) => {
      throw new Broken(`simd computes and ${name} does not: ${cause.message}`, { cause });
    });
    if (!sameBits(expected, got)) throw new Broken(`${name} computes other bits than simd`);
  }
}
