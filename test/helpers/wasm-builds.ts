/**
 * The four builds of the kernels, each with a memory of its own.
 * @module
 */
import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";

export type BuildName = "debug" | "simd" | "relaxed" | "threads";
type Kernel = (...args: number[]) => number | undefined;

export interface WasmBuild {
  readonly name: BuildName;
  readonly memory: WebAssembly.Memory;
  readonly kernels: Readonly<Record<string, Kernel>>;
}

const file = (path: string): URL => new URL(`../../dist/wasm/${path}`, import.meta.url);

export const wasmBytes = (name: BuildName): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(readFileSync(file(`${name}.wasm`)));
export const wasmText = (name: Exclude<BuildName, "debug">): string => readFileSync(file(`${name}.wat`), "utf8");

/** Whether this engine runs the build. The relaxed dot needs Node 22; everything else is older. */
export const canRun = (name: BuildName): boolean => WebAssembly.validate(wasmBytes(name));

/** Instantiates through AssemblyScript's loader, which turns a failed assertion into an Error with its text. */
export function loadBuild(name: BuildName, megabytes = 16): WasmBuild {
  const pages = megabytes * 16;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: name === "threads" });
  const { exports } = instantiateSync<Record<string, unknown>>(wasmBytes(name), { env: { memory } });
  return { name, memory, kernels: exports as unknown as Record<string, Kernel> };
}
