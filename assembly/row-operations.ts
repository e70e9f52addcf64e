// The interpreter's norms and elementwise operations: each thread takes a share of the rows, and a kernel takes a row.
import { Batch } from "./batch";
import {
  add,
  geluErf,
  geluMul,
  mul,
  scale,
  scaleByPosition,
  sigmoidMul,
  siluMul,
  softcap,
} from "./kernels/elementwise";
import { layerNorm } from "./kernels/layer-norm";
import { rmsNorm } from "./kernels/rms-norm";
import { Add, GatedMul, GeluErf, LayerNorm, OpCode, RmsNorm, Scale, ScaleByPosition, Softcap } from "./operations";

/**
 * The first of `units` units of work that thread `thread` takes. Its share ends where that of the next thread begins.
 */
export function share(units: i32, thread: i32, threads: i32): i32 {
  return <i32>((<i64>units * thread) / threads);
}

/** The address of row `row` of a buffer. */
export function rowAt(buffer: usize, stride: i32, row: i32): usize {
  return buffer + <usize>(row * stride);
}

export function runRmsNorm(op: RmsNorm, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    for (let part = 0; part < op.parts; part++) {
      const within = (<usize>(part * op.n)) << 2;
      const dst = rowAt(op.dst, op.dstStride, r) + within;
      rmsNorm(dst, rowAt(op.src, op.srcStride, r) + within, op.weight, op.n, op.eps);
    }
  }
}

export function runLayerNorm(op: LayerNorm, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const dst = rowAt(op.dst, op.dstStride, r);
    layerNorm(dst, rowAt(op.src, op.srcStride, r), op.weight, op.bias, op.n, op.eps);
  }
}

export function runGatedMul(op: GatedMul, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const dst = rowAt(op.dst, op.dstStride, r);
    const gate = rowAt(op.gate, op.gateStride, r);
    const up = rowAt(op.up, op.upStride, r);
    if (op.code == OpCode.SILU_MUL) siluMul(dst, gate, up, op.n);
    else if (op.code == OpCode.GELU_MUL) geluMul(dst, gate, up, op.n);
    else if (op.code == OpCode.SIGMOID_MUL) sigmoidMul(dst, gate, up, op.n);
    else mul(dst, gate, up, op.n);
  }
}

export function runAdd(op: Add, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    add(rowAt(op.dst, op.dstStride, r), rowAt(op.src, op.srcStride, r), op.n);
  }
}

export function runScale(op: Scale, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) scale(rowAt(op.dst, op.dstStride, r), op.n, op.factor);
}

export function runScaleByPosition(op: ScaleByPosition, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) {
    const position = batch.position(batch.batchRow(op.rowSet, r)) + op.offset;
    scaleByPosition(rowAt(op.dst, op.dstStride, r), op.n, position, op.length, op.beta);
  }
}

export function runSoftcap(op: Softcap, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) softcap(rowAt(op.dst, op.dstStride, r), op.n, op.cap);
}

export function runGeluErf(op: GeluErf, batch: Batch, thread: i32, threads: i32): void {
  const rows = batch.rowsOf(op.rowSet);
  const end = share(rows, thread + 1, threads);
  for (let r = share(rows, thread, threads); r < end; r++) geluErf(rowAt(op.dst, op.dstStride, r), op.n);
}
