/**
 * Calls kernels with typed arrays: for tests that look at values, not at buffers.
 * @module
 */
import { RESERVED_BYTES } from "../../src/runtime/kernels.ts";
import { type Arguments, inOrder } from "./kernel-arguments.ts";
import type { WasmBuild } from "./wasm-builds.ts";

export class KernelMemory {
  private readonly build: WasmBuild;
  private top = RESERVED_BYTES;

  constructor(build: WasmBuild) {
    this.build = build;
  }

  /** Address of `bytes` zeros. */
  reserve(bytes: number): number {
    const at = this.top;
    this.top = Math.ceil((at + bytes) / 64) * 64;
    new Uint8Array(this.build.memory.buffer).fill(0, at, this.top);
    return at;
  }

  put(data: ArrayBufferView): number {
    const at = this.reserve(data.byteLength);
    new Uint8Array(this.build.memory.buffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    return at;
  }

  bytes(at: number, count: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.build.memory.buffer).slice(at, at + count) as Uint8Array<ArrayBuffer>;
  }

  floats(at: number, count: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.bytes(at, 4 * count).buffer);
  }

  /** Calls a kernel. */
  run(kernel: string, args: Arguments): number | undefined {
    return this.build.kernels[kernel]!(...inOrder(kernel, args));
  }
}
