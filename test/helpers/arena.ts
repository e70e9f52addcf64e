/**
 * Places a kernel's buffers in linear memory, poisons all other bytes, and finds the bytes that a call changed.
 * @module
 */
import { RESERVED_BYTES } from "../../src/runtime/kernels.ts";
import { type Arguments, inOrder } from "./kernel-arguments.ts";
import type { WasmBuild } from "./wasm-builds.ts";

/** Bytes of poison before and after every buffer. */
const CANARY = 64;

/** What a region holds. Every NaN of an "f32" region counts as the same, because WebAssembly leaves its bits open. */
export type Kind = "f32" | "bytes" | "scratch";

interface Region {
  readonly at: number;
  readonly bytes: number;
  readonly kind: Kind;
}

export interface Placement {
  /** Fills all memory that no input was written to. */
  readonly poison: number;
  /** Bytes from a multiple of 64 to each buffer; a multiple of 4. */
  readonly shift: number;
}

export class Arena {
  readonly regions: Region[] = [];
  private readonly build: WasmBuild;
  private readonly placement: Placement;
  private readonly sizes = new Map<number, number>();
  private top = RESERVED_BYTES;

  constructor(build: WasmBuild, placement: Placement) {
    this.build = build;
    this.placement = placement;
    this.fill(RESERVED_BYTES, CANARY);
  }

  /** First byte after all buffers and their canaries. */
  get end(): number {
    return this.top;
  }

  /** A poisoned buffer that the call may only read. `alignment`: 4, or 16 where the kernel asks for it. */
  reserve(bytes: number, alignment: 4 | 16 = 4): number {
    const { shift } = this.placement;
    const at = Math.ceil((this.top + CANARY) / 64) * 64 + Math.ceil(shift / alignment) * alignment;
    this.fill(this.top, at + bytes + CANARY - this.top);
    this.top = at + bytes + CANARY;
    this.sizes.set(at, bytes);
    return at;
  }

  /** A buffer that the call must write in full. */
  output(bytes: number, kind: Kind, alignment: 4 | 16 = 4): number {
    return this.owned(this.reserve(bytes, alignment), bytes, kind);
  }

  /** A buffer with content that the call may only read. */
  input(data: ArrayBufferView, alignment: 4 | 16 = 4): number {
    return this.write(this.reserve(data.byteLength, alignment), data);
  }

  /** A buffer with content that the call changes. */
  inPlace(data: ArrayBufferView, kind: Kind = "f32"): number {
    return this.owned(this.input(data), data.byteLength, kind);
  }

  /** Part of a buffer that the call writes. */
  owned(at: number, bytes: number, kind: Kind): number {
    this.regions.push({ at, bytes, kind });
    return at;
  }

  write(at: number, data: ArrayBufferView): number {
    new Uint8Array(this.build.memory.buffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    return at;
  }

  /** Address of the row of a weight type, by GGML's id. */
  weightType(id: number): number {
    return this.build.kernels.weightType!(id)!;
  }

  sizeOf(at: number): number {
    return this.sizes.get(at)!;
  }

  private fill(at: number, bytes: number): void {
    new Uint8Array(this.build.memory.buffer).fill(this.placement.poison, at, at + bytes);
  }
}

/** Lays out a call's buffers and gives its arguments. */
export type Prepare = (arena: Arena) => Arguments;

export interface Outcome {
  readonly result: number | undefined;
  /** The written regions one after the other, with every NaN made the same. */
  readonly output: Uint8Array;
  /** First address outside the written regions that the call changed. */
  readonly stray: number | undefined;
}

/** Prepares and calls `kernel`. */
export function call(build: WasmBuild, kernel: string, prepare: Prepare, placement: Placement): Outcome {
  const arena = new Arena(build, placement);
  const args = prepare(arena);
  const before = new Uint8Array(build.memory.buffer).slice(0, arena.end);
  const result = build.kernels[kernel]!(...inOrder(kernel.replace(/Ref$/, ""), args));
  const after = new Uint8Array(build.memory.buffer).slice(0, arena.end);
  const outputs: Uint8Array[] = [];
  for (const { at, bytes, kind } of arena.regions) {
    if (kind === "f32") unifyNaN(after, at, bytes);
    if (kind !== "scratch") outputs.push(after.slice(at, at + bytes));
    after.set(before.subarray(at, at + bytes), at);
  }
  const stray = Buffer.compare(before, after) === 0 ? undefined : after.findIndex((byte, i) => byte !== before[i]);
  return { result, output: Buffer.concat(outputs), stray };
}

function unifyNaN(memory: Uint8Array, at: number, bytes: number): void {
  const view = new DataView(memory.buffer, at, bytes);
  for (let i = 0; i < bytes; i += 4) if (Number.isNaN(view.getFloat32(i, true))) view.setUint32(i, 0x7fc00000, true);
}
