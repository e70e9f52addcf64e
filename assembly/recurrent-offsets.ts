// The offset of every field of the records of recurrent layers, as offsets.ts has those of the others.
import { Decay, DeltaRule, ShortConv, Sigmoid, SplitHeads } from "./recurrent-operations";

export const Sigmoid_dst: usize = offsetof<Sigmoid>("dst");
export const Sigmoid_dstStride: usize = offsetof<Sigmoid>("dstStride");
export const Sigmoid_n: usize = offsetof<Sigmoid>("n");

export const Decay_dst: usize = offsetof<Decay>("dst");
export const Decay_dstStride: usize = offsetof<Decay>("dstStride");
export const Decay_n: usize = offsetof<Decay>("n");
export const Decay_bias: usize = offsetof<Decay>("bias");
export const Decay_rate: usize = offsetof<Decay>("rate");

export const SplitHeads_dst: usize = offsetof<SplitHeads>("dst");
export const SplitHeads_dstStride: usize = offsetof<SplitHeads>("dstStride");
export const SplitHeads_src: usize = offsetof<SplitHeads>("src");
export const SplitHeads_srcStride: usize = offsetof<SplitHeads>("srcStride");
export const SplitHeads_heads: usize = offsetof<SplitHeads>("heads");
export const SplitHeads_parts: usize = offsetof<SplitHeads>("parts");
export const SplitHeads_partBytes: usize = offsetof<SplitHeads>("partBytes");

export const ShortConv_dst: usize = offsetof<ShortConv>("dst");
export const ShortConv_dstStride: usize = offsetof<ShortConv>("dstStride");
export const ShortConv_src: usize = offsetof<ShortConv>("src");
export const ShortConv_srcStride: usize = offsetof<ShortConv>("srcStride");
export const ShortConv_weights: usize = offsetof<ShortConv>("weights");
export const ShortConv_taps: usize = offsetof<ShortConv>("taps");
export const ShortConv_channels: usize = offsetof<ShortConv>("channels");
export const ShortConv_silu: usize = offsetof<ShortConv>("silu");
export const ShortConv_state: usize = offsetof<ShortConv>("state");

export const DeltaRule_dst: usize = offsetof<DeltaRule>("dst");
export const DeltaRule_dstStride: usize = offsetof<DeltaRule>("dstStride");
export const DeltaRule_src: usize = offsetof<DeltaRule>("src");
export const DeltaRule_srcStride: usize = offsetof<DeltaRule>("srcStride");
export const DeltaRule_values: usize = offsetof<DeltaRule>("values");
export const DeltaRule_valueStride: usize = offsetof<DeltaRule>("valueStride");
export const DeltaRule_decays: usize = offsetof<DeltaRule>("decays");
export const DeltaRule_decayStride: usize = offsetof<DeltaRule>("decayStride");
export const DeltaRule_betas: usize = offsetof<DeltaRule>("betas");
export const DeltaRule_betaStride: usize = offsetof<DeltaRule>("betaStride");
export const DeltaRule_keyHeads: usize = offsetof<DeltaRule>("keyHeads");
export const DeltaRule_valueHeads: usize = offsetof<DeltaRule>("valueHeads");
export const DeltaRule_keyDim: usize = offsetof<DeltaRule>("keyDim");
export const DeltaRule_valueDim: usize = offsetof<DeltaRule>("valueDim");
export const DeltaRule_tiled: usize = offsetof<DeltaRule>("tiled");
export const DeltaRule_scale: usize = offsetof<DeltaRule>("scale");
export const DeltaRule_state: usize = offsetof<DeltaRule>("state");
