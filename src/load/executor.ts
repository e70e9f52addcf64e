/**
 * From a checkpoint to an executor: plan, memory, weights.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { conflict } from "../base/fields.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import type { Adapter } from "../formats/lora/products.ts";
import { describeModel } from "../models/index.ts";
import { WasmExecutor } from "../runtime/executor.ts";
import { type Build, bestBuild, instantiate } from "../runtime/kernels.ts";
import type { KvType } from "../runtime/layout.ts";
import { type MemoryOptions, type MemoryPlan, planMemory } from "../runtime/memory-plan.ts";
import type { Program } from "../runtime/program.ts";
import { loadWeights } from "../runtime/weights.ts";
import { withAdapters } from "./adapters.ts";
import type { Host } from "./host.ts";
import { checkOptions, type LoadOptions, memoryOptions } from "./options.ts";
import { chooseThreads, type ThreadChoice } from "./threads.ts";

/** Everything about an executor that is known before the first weight is read. */
export interface ExecutorPlan {
  readonly program: Program;
  readonly memoryOptions: MemoryOptions;
  readonly memoryPlan: MemoryPlan;
  readonly kvType: KvType;
}

/**
 * Builds the program and plans the memory, from the header alone.
 * @param options as `checkOptions` accepts them
 * @throws NibbleError for a model that we cannot run, `invalid_argument` for a `contextLength` that it was not trained
 *   for, and `out_of_memory` with the figures where it does not fit
 */
export async function planExecutor(
  checkpoint: Checkpoint,
  options: LoadOptions = {},
  { threads = 1, adapters = [] }: { threads?: number; adapters?: readonly Adapter[] } = {},
): Promise<ExecutorPlan> {
  const model = await describeModel(checkpoint);
  const { bidirectional = false } = model.config;
  const memory = memoryOptions(options, model.config.contextLength, bidirectional);
  const { maxBatchTokens, maxLogitRows, contextLength } = memory;
  // The keys and values of an encoder live for one step only, so a smaller cache would cost precision for nothing.
  const kvType = options.kvType ?? (bidirectional ? "f32" : "mixed");
  const program = model.describe({ maxBatchTokens, maxLogitRows, contextLength, kvType, threads, adapters });
  return { program, memoryOptions: memory, memoryPlan: planMemory(program, memory), kvType };
}

export type HostPlan = ExecutorPlan & ThreadChoice;

/** Plans an executor for this host, and runs `action` while the adapters' files are open. */
async function withHostPlan<T>(
  checkpoint: Checkpoint,
  host: Host,
  options: LoadOptions,
  action: (plan: HostPlan, planAgain: (choice: ThreadChoice) => Promise<HostPlan>) => Promise<T>,
): Promise<T> {
  checkOptions(options);
  return withAdapters(options.lora, host, checkpoint, async (adapters) => {
    const planWith = async (choice: ThreadChoice): Promise<HostPlan> => ({
      ...(await planExecutor(checkpoint, options, { threads: choice.threads, adapters })),
      ...choice,
    });
    return action(await planWith(await chooseThreads(checkpoint, host, options)), planWith);
  });
}

/**
 * The plan that `loadExecutor` will follow on this host, from the header alone.
 * @throws NibbleError as `checkOptions`, `planExecutor` and `chooseThreads`
 */
export function planOnHost(checkpoint: Checkpoint, host: Host, options: LoadOptions): Promise<HostPlan> {
  return withHostPlan(checkpoint, host, options, async (plan) => plan);
}

/**
 * Makes an executor: allocates exactly the planned memory, then streams the weights into place while helping threads
 * start. Where no thread can start and the caller did not ask for a number, it runs on one, and a warning says so.
 * @param meanwhile runs once, while the first weights are being read
 * @throws NibbleError as `checkOptions`, `planExecutor` and `chooseThreads`; `truncated`, `io_error` or `bad_weights`
 *   while weights are read; the signal's reason when it is aborted
 */
export function loadExecutor(
  checkpoint: Checkpoint,
  host: Host,
  options: LoadOptions = {},
  meanwhile?: () => void,
): Promise<WasmExecutor> {
  let left = meanwhile;
  const once = (): void => {
    left?.();
    left = undefined;
  };
  return withHostPlan(checkpoint, host, options, async (plan, planAgain) => {
    try {
      return await makeExecutor(plan, { host, options, meanwhile: once });
    } catch (error) {
      if (!(error instanceof ThreadFailure)) throw error;
      if (options.threads !== undefined) throw error.cause;
      console.warn(`nibble: the model runs on one thread, since ${(error.cause as Error).message}`);
      const alone = await planAgain({ threads: 1, build: options.build ?? bestBuild(1) });
      return makeExecutor(alone, { host, options, meanwhile: once });
    }
  });
}

/** A helping thread did not start; `cause` is the host's error. */
class ThreadFailure extends Error {}

async function makeExecutor(
  { program, memoryPlan, memoryOptions, threads, build }: HostPlan,
  { host, options, meanwhile }: { host: Host; options: LoadOptions; meanwhile: () => void },
): Promise<WasmExecutor> {
  const revectorized = options.revectorize ? await revectorizedModule(host, build, options) : undefined;
  const module = options.wasm ?? revectorized ?? (await host.wasm(build));
  const instance = await instantiate(module, memoryPlan.total, build === "threads");
  const executor = new WasmExecutor({
    instance,
    program,
    plan: memoryPlan,
    options: memoryOptions,
    threads,
    revectorized: revectorized !== undefined,
  });
  const failed = new AbortController();
  const starting = threads > 1 ? executor.startThreads(host.startThread) : Promise.resolve();
  const started = starting.catch((cause) => {
    failed.abort(new ThreadFailure("a helping thread did not start", { cause }));
  });
  // Weights that can be read only once wait for the threads, because they could not be read again without these.
  if (program.weights.placements.some(({ info }) => info.source.once)) await started;
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const loading = loadWeights(
    { instance, plan: memoryPlan, weights: program.weights },
    { ...options, signal },
    meanwhile,
  );
  const [outcome] = await Promise.allSettled([loading, started]);
  if (outcome.status === "fulfilled" && !failed.signal.aborted) return executor;
  executor.dispose();
  throw failed.signal.aborted ? failed.signal.reason : (outcome as PromiseRejectedResult).reason;
}

/** @throws NibbleError `unsupported_host` where the host has no revectorizer; `invalid_argument` beside `wasm` */
async function revectorizedModule(
  host: Host,
  build: Build,
  { wasm }: LoadOptions,
): Promise<WebAssembly.Module | undefined> {
  if (wasm !== undefined) throw conflict("revectorize", "wasm", "that module is compiled already", "invalid_argument");
  if (host.revectorized) return host.revectorized(build);
  throw new NibbleError("unsupported_host", "revectorize: it requires Node 24 or later", { param: "revectorize" });
}
