/**
 * The recording that the builder makes: operations with their operands, and the activation buffers that these read and
 * write.
 * @module
 */
import { align, GROUP_ROWS } from "./layout.ts";
import { type FieldOf, OPERATIONS, type OperationName, type RowSet } from "./operations.ts";

/** The operations that touch a buffer: the first and the last, both included. */
export interface Interval {
  readonly first: number;
  last: number;
}

/** Rows of activations, whose address the placement decides. */
export interface Buffer {
  readonly rows: RowSet;
  /** Bytes from row to row. */
  readonly stride: number;
  readonly interval: Interval;
  /**
   * Whether each thread has a buffer of its own for small batches, which it fills itself. Other buffers are shared: one
   * thread reads there what another one wrote.
   */
  readonly perThread: boolean;
}

/** A place in each row of a buffer. */
export interface Place {
  readonly buffer: Buffer;
  /** Bytes from the beginning of a row. */
  readonly offset: number;
  /** f32 per row that it has; without it, the place reaches to the end of the row. */
  readonly width?: number;
}

/** `width` f32 per row, somewhere in a buffer. Operations that work in place return the same place. */
export interface Value extends Place {
  /** f32 per row. */
  readonly width: number;
  /** Which rows it has: all of the batch, or those whose logits are wanted. */
  readonly rows: RowSet;
}

/** The table of RoPE's rotations for the position of every row, which `rope` reads. */
export interface RopeTable {
  /** The buffer with cos and sin of every row. */
  readonly buffer: Buffer;
  /** Pairs of values that are rotated in each head. */
  readonly pairs: number;
  /** Whether pairs are neighbours (2j, 2j + 1). Otherwise they are (j, j + pairs). */
  readonly interleaved: boolean;
}

/** A layer's place in the key-value cache. */
export interface KvLayer {
  /** Bytes per page of the layers before it. */
  readonly offset: number;
  /** Heads of keys and values. */
  readonly kvHeads: number;
  /** Values per head. */
  readonly headDim: number;
  /** Bytes per page of one kv head. */
  readonly headBytes: number;
}

/** An operand: a number as it stands, or an address or size that is known once the memory is planned. */
export type Operand =
  | number
  | { readonly place: Place }
  | { readonly weight: string }
  /** Index into the frequency tables. */
  | { readonly frequencies: number }
  /** The address at which a layer's pages begin, given as the bytes per page of the layers before it. */
  | { readonly layerPages: number }
  /** Bytes of all pages of a kv head, given as its bytes per page. */
  | { readonly headPages: number }
  /** The first thread's scratch. */
  | "scratch"
  /** Bytes from one thread's scratch to the next thread's. */
  | "scratchBytes"
  /** 1 where the engine packs vectors of 256 bits, else 0. */
  | "packed";

export interface RecordedOperation {
  readonly name: OperationName;
  readonly rows: RowSet;
  readonly operands: Readonly<Record<string, Operand>>;
}

/** The operands that write to a place, and those that read from one. */
export const dst = (place: Place): { dst: Operand; dstStride: number } => ({
  dst: { place },
  dstStride: place.buffer.stride,
});
export const src = (place: Place): { src: Operand; srcStride: number } => ({
  src: { place },
  srcStride: place.buffer.stride,
});

export class Recording {
  readonly operations: RecordedOperation[] = [];
  readonly buffers: Buffer[] = [];
  /** Bytes of scratch per thread. All operations share the same place. */
  scratchBytes = 0;
  readonly threads: number;

  constructor(threads: number) {
    this.threads = threads;
  }

  /** Records an operation over `rows`, with a value for each of its fields. */
  emit<Name extends OperationName>(name: Name, rows: RowSet, operands: Record<FieldOf<Name>, Operand>): void {
    for (const operand of Object.values<Operand>(operands))
      if (typeof operand === "object" && "place" in operand)
        operand.place.buffer.interval.last = this.operations.length;
    this.operations.push({ name, rows, operands });
  }

  /**
   * The numbers of all operations that decide about results, such as eps, scales and windows. They are the same for any
   * number of threads and any batch: strides and copies, which depend on these, are left out, and so are adapters.
   */
  constants(): Float64Array {
    const decisive = this.operations.filter(({ name }) => name !== "copy" && name !== "lora");
    return Float64Array.from(
      decisive.flatMap(({ name, operands }) => [
        OPERATIONS[name].code,
        ...Object.entries(operands).flatMap(([field, operand]) =>
          typeof operand === "number" && !field.endsWith("Stride") ? [operand] : [],
        ),
      ]),
    );
  }

  /** Reserves an operation's scratch, and returns the operands for it. */
  scratch(bytes: number): { scratch: Operand; scratchBytes: Operand } {
    this.scratchBytes = Math.max(this.scratchBytes, align(bytes));
    return { scratch: "scratch", scratchBytes: "scratchBytes" };
  }

  /** A new value, alone in its buffer. */
  value(width: number, rows: RowSet, perThread = true): Value {
    return { width, rows, buffer: this.buffer(align(width, GROUP_ROWS) * 4, rows, perThread), offset: 0 };
  }

  /**
   * Where the result of an operation on x goes, whose rows depend on the same rows of x alone: to the place of x, unless
   * other threads read that too.
   */
  place(x: Value): Value {
    return this.threads === 1 || x.buffer.perThread ? { ...x } : this.value(x.width, x.rows);
  }

  /** x where a thread may change it in place: x itself, or a copy if other threads read x too. */
  own(x: Value): Value {
    const y = this.place(x);
    if (y.buffer !== x.buffer) this.emit("copy", x.rows, { ...dst(y), ...src(x), rowBytes: 4 * x.width });
    return y;
  }

  /** A new buffer of so many bytes per row. */
  buffer(bytes: number, rows: RowSet, perThread = true): Buffer {
    const now = this.operations.length;
    const buffer = { rows, stride: align(bytes), interval: { first: now, last: now }, perThread };
    this.buffers.push(buffer);
    return buffer;
  }
}
