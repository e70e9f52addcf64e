/**
 * How many threads a model runs on, and with which WebAssembly build.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { type Build, bestBuild } from "../runtime/kernels.ts";
import type { Host } from "./host.ts";
import type { LoadOptions } from "./options.ts";

export interface ThreadChoice {
  readonly threads: number;
  readonly build: Build;
}

const MAX_DEFAULT_THREADS = 8;
/** Bytes of weights below which a barrier costs more than a second thread saves. */
const MIN_SHARED_WEIGHTS = 32 * 2 ** 20;

/**
 * Takes the options' `threads` and `build`, and decides what they leave open.
 * @throws NibbleError `unsupported_host` for more than one thread where the engine or the chosen build has one only
 */
export async function chooseThreads(
  checkpoint: Checkpoint,
  host: Host,
  { threads, build, wasm }: LoadOptions,
): Promise<ThreadChoice> {
  const oneThreadOnly = wasm !== undefined || (build !== undefined && build !== "threads");
  if (threads !== undefined) {
    const chosen = build ?? bestBuild(threads);
    if (threads > 1 && (oneThreadOnly || chosen !== "threads")) throw noThreads(threads, chosen, wasm !== undefined);
    return { threads, build: chosen };
  }
  const able = !oneThreadOnly && (build ?? bestBuild(2)) === "threads" && weightBytes(checkpoint) >= MIN_SHARED_WEIGHTS;
  const count = able ? Math.min(await host.threads(), MAX_DEFAULT_THREADS) : 1;
  return { threads: count, build: build ?? bestBuild(count) };
}

function weightBytes({ tensors }: Checkpoint): number {
  let bytes = 0;
  for (const { byteLength } of tensors.values()) bytes += byteLength;
  return bytes;
}

function noThreads(threads: number, build: Build, given: boolean): NibbleError {
  const what = given ? "a module given as `wasm`" : `the ${build} build`;
  return new NibbleError(
    "unsupported_host",
    `threads: ${threads} threads need the threads build and an engine with relaxed SIMD; ${what} runs on one thread`,
    { param: "threads" },
  );
}
