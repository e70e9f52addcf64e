// The records of operations that recurrent layers use. operations.ts says what they share with the others.
//
// The state of a sequence has a part for each recurrent layer. `state` in a record is where the layer's part begins, in
// bytes from the beginning of the state (`Batch.state`).
import { Operation } from "./operations";

/** dst = 1 / (1 + e^-dst). */
@unmanaged
export class Sigmoid extends Operation {
  dst: usize;
  dstStride: i32;
  n: i32;
}

/** dst = exp(rate * softplus(dst + bias)): by how much each head's state is kept from one token to the next. */
@unmanaged
export class Decay extends Operation {
  dst: usize;
  dstStride: i32;
  n: i32;
  /** f32[n]. */
  bias: usize;
  /** f32[n], not above 0. */
  rate: usize;
}

/** dst [parts][heads][partBytes] = src [heads][parts][partBytes], in each row. */
@unmanaged
export class SplitHeads extends Operation {
  dst: usize;
  dstStride: i32;
  src: usize;
  srcStride: i32;
  heads: i32;
  parts: i32;
  partBytes: i32;
}

/** dst = causal depthwise convolution of src over the rows of each sequence. */
@unmanaged
export class ShortConv extends Operation {
  dst: usize;
  dstStride: i32;
  src: usize;
  srcStride: i32;
  /** f32[taps][channels]; the last tap belongs to the row itself. */
  weights: usize;
  taps: i32;
  /** A multiple of 4. */
  channels: i32;
  /** 1: dst = silu of the sum. */
  silu: i32;
  /** f32[taps - 1][channels]: the last inputs, the oldest first. */
  state: usize;
}

/** dst = the output of the gated delta rule, over the rows of each sequence. */
@unmanaged
export class DeltaRule extends Operation {
  dst: usize;
  dstStride: i32;
  /** Queries f32[keyHeads][keyDim], and keys of the same shape behind them. */
  src: usize;
  srcStride: i32;
  /** f32[valueHeads][valueDim] of each row. */
  values: usize;
  valueStride: i32;
  /** f32[valueHeads] of each row: what Decay gives. */
  decays: usize;
  decayStride: i32;
  /** f32[valueHeads] of each row: how much of the difference is written. */
  betas: usize;
  betaStride: i32;
  keyHeads: i32;
  /** A multiple of keyHeads. */
  valueHeads: i32;
  keyDim: i32;
  /** A multiple of 4. */
  valueDim: i32;
  /** Value head h reads key head h % keyHeads if 1, else h / (valueHeads / keyHeads). */
  tiled: i32;
  /** Factor of the output. */
  scale: f32;
  /** f32[valueHeads][strips of columns][keyDim][columns of the strip] (kernels/recurrent/delta-rule.ts). */
  state: usize;
}
