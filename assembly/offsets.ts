// The offset of every field of every record, in bytes, for the test that compares them with the host's
// (`src/runtime/operations.ts`, `src/runtime/weight-types.ts`) and for tests that write records. Only the debug build
// has them.

import { BlockMeta } from "./activations";
import { ARRIVED, Batch, FAILED, GENERATION, RUNS, SLEEPERS, STOP } from "./batch";
import { QueryBlock } from "./kernels/attention/attention";
import { PanelTile } from "./kernels/matmul/panel-tile";
import {
  Add,
  Attention,
  Copy,
  Embed,
  GatedMul,
  GeluErf,
  KvStore,
  LayerNorm,
  Lora,
  Matmul,
  Operation,
  Quantize,
  RmsNorm,
  Rope,
  RopeTable,
  Scale,
  ScaleByPosition,
  SelectOutputs,
  Softcap,
} from "./operations";
import { WeightType } from "./weight-types";

export const Operation_code: usize = offsetof<Operation>("code");
export const Operation_rowSet: usize = offsetof<Operation>("rowSet");
export const Operation_barrier: usize = offsetof<Operation>("barrier");
export const Operation_perThread: usize = offsetof<Operation>("perThread");

export const Embed_dst: usize = offsetof<Embed>("dst");
export const Embed_dstStride: usize = offsetof<Embed>("dstStride");
export const Embed_weights: usize = offsetof<Embed>("weights");
export const Embed_type: usize = offsetof<Embed>("type");
export const Embed_columns: usize = offsetof<Embed>("columns");
export const Embed_source: usize = offsetof<Embed>("source");

export const SelectOutputs_dst: usize = offsetof<SelectOutputs>("dst");
export const SelectOutputs_dstStride: usize = offsetof<SelectOutputs>("dstStride");
export const SelectOutputs_src: usize = offsetof<SelectOutputs>("src");
export const SelectOutputs_srcStride: usize = offsetof<SelectOutputs>("srcStride");
export const SelectOutputs_rowBytes: usize = offsetof<SelectOutputs>("rowBytes");

export const Copy_dst: usize = offsetof<Copy>("dst");
export const Copy_dstStride: usize = offsetof<Copy>("dstStride");
export const Copy_src: usize = offsetof<Copy>("src");
export const Copy_srcStride: usize = offsetof<Copy>("srcStride");
export const Copy_rowBytes: usize = offsetof<Copy>("rowBytes");

export const RmsNorm_dst: usize = offsetof<RmsNorm>("dst");
export const RmsNorm_dstStride: usize = offsetof<RmsNorm>("dstStride");
export const RmsNorm_src: usize = offsetof<RmsNorm>("src");
export const RmsNorm_srcStride: usize = offsetof<RmsNorm>("srcStride");
export const RmsNorm_weight: usize = offsetof<RmsNorm>("weight");
export const RmsNorm_n: usize = offsetof<RmsNorm>("n");
export const RmsNorm_parts: usize = offsetof<RmsNorm>("parts");
export const RmsNorm_eps: usize = offsetof<RmsNorm>("eps");

export const LayerNorm_dst: usize = offsetof<LayerNorm>("dst");
export const LayerNorm_dstStride: usize = offsetof<LayerNorm>("dstStride");
export const LayerNorm_src: usize = offsetof<LayerNorm>("src");
export const LayerNorm_srcStride: usize = offsetof<LayerNorm>("srcStride");
export const LayerNorm_weight: usize = offsetof<LayerNorm>("weight");
export const LayerNorm_bias: usize = offsetof<LayerNorm>("bias");
export const LayerNorm_n: usize = offsetof<LayerNorm>("n");
export const LayerNorm_eps: usize = offsetof<LayerNorm>("eps");

export const Quantize_dst: usize = offsetof<Quantize>("dst");
export const Quantize_dstStride: usize = offsetof<Quantize>("dstStride");
export const Quantize_src: usize = offsetof<Quantize>("src");
export const Quantize_srcStride: usize = offsetof<Quantize>("srcStride");
export const Quantize_columns: usize = offsetof<Quantize>("columns");
export const Quantize_wide: usize = offsetof<Quantize>("wide");

export const Matmul_dst: usize = offsetof<Matmul>("dst");
export const Matmul_dstStride: usize = offsetof<Matmul>("dstStride");
export const Matmul_src: usize = offsetof<Matmul>("src");
export const Matmul_srcStride: usize = offsetof<Matmul>("srcStride");
export const Matmul_weights: usize = offsetof<Matmul>("weights");
export const Matmul_type: usize = offsetof<Matmul>("type");
export const Matmul_columns: usize = offsetof<Matmul>("columns");
export const Matmul_groups: usize = offsetof<Matmul>("groups");
export const Matmul_packed: usize = offsetof<Matmul>("packed");
export const Matmul_scratch: usize = offsetof<Matmul>("scratch");
export const Matmul_scratchBytes: usize = offsetof<Matmul>("scratchBytes");

export const Lora_dst: usize = offsetof<Lora>("dst");
export const Lora_dstStride: usize = offsetof<Lora>("dstStride");
export const Lora_src: usize = offsetof<Lora>("src");
export const Lora_srcStride: usize = offsetof<Lora>("srcStride");
export const Lora_a: usize = offsetof<Lora>("a");
export const Lora_aType: usize = offsetof<Lora>("aType");
export const Lora_columns: usize = offsetof<Lora>("columns");
export const Lora_rank: usize = offsetof<Lora>("rank");
export const Lora_b: usize = offsetof<Lora>("b");
export const Lora_bType: usize = offsetof<Lora>("bType");
export const Lora_groups: usize = offsetof<Lora>("groups");
export const Lora_scale: usize = offsetof<Lora>("scale");
export const Lora_rowScales: usize = offsetof<Lora>("rowScales");
export const Lora_scratch: usize = offsetof<Lora>("scratch");
export const Lora_scratchBytes: usize = offsetof<Lora>("scratchBytes");

export const RopeTable_dst: usize = offsetof<RopeTable>("dst");
export const RopeTable_dstStride: usize = offsetof<RopeTable>("dstStride");
export const RopeTable_frequencies: usize = offsetof<RopeTable>("frequencies");
export const RopeTable_pairs: usize = offsetof<RopeTable>("pairs");

export const Rope_dst: usize = offsetof<Rope>("dst");
export const Rope_dstStride: usize = offsetof<Rope>("dstStride");
export const Rope_heads: usize = offsetof<Rope>("heads");
export const Rope_headDim: usize = offsetof<Rope>("headDim");
export const Rope_table: usize = offsetof<Rope>("table");
export const Rope_tableStride: usize = offsetof<Rope>("tableStride");
export const Rope_pairs: usize = offsetof<Rope>("pairs");
export const Rope_interleaved: usize = offsetof<Rope>("interleaved");

export const KvStore_keys: usize = offsetof<KvStore>("keys");
export const KvStore_keyStride: usize = offsetof<KvStore>("keyStride");
export const KvStore_values: usize = offsetof<KvStore>("values");
export const KvStore_valueStride: usize = offsetof<KvStore>("valueStride");
export const KvStore_kvHeads: usize = offsetof<KvStore>("kvHeads");
export const KvStore_headDim: usize = offsetof<KvStore>("headDim");
export const KvStore_kvType: usize = offsetof<KvStore>("kvType");
export const KvStore_pages: usize = offsetof<KvStore>("pages");
export const KvStore_headStride: usize = offsetof<KvStore>("headStride");
export const KvStore_scratch: usize = offsetof<KvStore>("scratch");
export const KvStore_scratchBytes: usize = offsetof<KvStore>("scratchBytes");

export const Attention_dst: usize = offsetof<Attention>("dst");
export const Attention_dstStride: usize = offsetof<Attention>("dstStride");
export const Attention_src: usize = offsetof<Attention>("src");
export const Attention_srcStride: usize = offsetof<Attention>("srcStride");
export const Attention_heads: usize = offsetof<Attention>("heads");
export const Attention_kvHeads: usize = offsetof<Attention>("kvHeads");
export const Attention_headDim: usize = offsetof<Attention>("headDim");
export const Attention_kvType: usize = offsetof<Attention>("kvType");
export const Attention_pages: usize = offsetof<Attention>("pages");
export const Attention_headStride: usize = offsetof<Attention>("headStride");
export const Attention_scale: usize = offsetof<Attention>("scale");
export const Attention_window: usize = offsetof<Attention>("window");
export const Attention_softcap: usize = offsetof<Attention>("softcap");
export const Attention_bidirectional: usize = offsetof<Attention>("bidirectional");
export const Attention_scratch: usize = offsetof<Attention>("scratch");
export const Attention_scratchBytes: usize = offsetof<Attention>("scratchBytes");

export const GatedMul_dst: usize = offsetof<GatedMul>("dst");
export const GatedMul_dstStride: usize = offsetof<GatedMul>("dstStride");
export const GatedMul_gate: usize = offsetof<GatedMul>("gate");
export const GatedMul_gateStride: usize = offsetof<GatedMul>("gateStride");
export const GatedMul_up: usize = offsetof<GatedMul>("up");
export const GatedMul_upStride: usize = offsetof<GatedMul>("upStride");
export const GatedMul_n: usize = offsetof<GatedMul>("n");

export const Add_dst: usize = offsetof<Add>("dst");
export const Add_dstStride: usize = offsetof<Add>("dstStride");
export const Add_src: usize = offsetof<Add>("src");
export const Add_srcStride: usize = offsetof<Add>("srcStride");
export const Add_n: usize = offsetof<Add>("n");

export const Scale_dst: usize = offsetof<Scale>("dst");
export const Scale_dstStride: usize = offsetof<Scale>("dstStride");
export const Scale_n: usize = offsetof<Scale>("n");
export const Scale_factor: usize = offsetof<Scale>("factor");

export const ScaleByPosition_dst: usize = offsetof<ScaleByPosition>("dst");
export const ScaleByPosition_dstStride: usize = offsetof<ScaleByPosition>("dstStride");
export const ScaleByPosition_n: usize = offsetof<ScaleByPosition>("n");
export const ScaleByPosition_beta: usize = offsetof<ScaleByPosition>("beta");
export const ScaleByPosition_length: usize = offsetof<ScaleByPosition>("length");
export const ScaleByPosition_offset: usize = offsetof<ScaleByPosition>("offset");

export const Softcap_dst: usize = offsetof<Softcap>("dst");
export const Softcap_dstStride: usize = offsetof<Softcap>("dstStride");
export const Softcap_n: usize = offsetof<Softcap>("n");
export const Softcap_cap: usize = offsetof<Softcap>("cap");

export const GeluErf_dst: usize = offsetof<GeluErf>("dst");
export const GeluErf_dstStride: usize = offsetof<GeluErf>("dstStride");
export const GeluErf_n: usize = offsetof<GeluErf>("n");

export const Batch_rows: usize = offsetof<Batch>("rows");
export const Batch_outputRows: usize = offsetof<Batch>("outputRows");
export const Batch_tokens: usize = offsetof<Batch>("tokens");
export const Batch_positions: usize = offsetof<Batch>("positions");
export const Batch_pageTables: usize = offsetof<Batch>("pageTables");
export const Batch_outputs: usize = offsetof<Batch>("outputs");
export const Batch_loraScales: usize = offsetof<Batch>("loraScales");
export const Batch_types: usize = offsetof<Batch>("types");
export const Batch_states: usize = offsetof<Batch>("states");
export const Batch_snapshots: usize = offsetof<Batch>("snapshots");
export const Batch_operations: usize = offsetof<Batch>("operations");
export const Batch_split: usize = offsetof<Batch>("split");
export const Batch_barriers: usize = offsetof<Batch>("barriers");
export const Batch_spins: usize = offsetof<Batch>("spins");
export const Batch_arrived: usize = ARRIVED;
export const Batch_sleepers: usize = SLEEPERS;
export const Batch_generation: usize = GENERATION;
export const Batch_failed: usize = FAILED;
export const Batch_runs: usize = RUNS;
export const Batch_stop: usize = STOP;

export const QueryBlock_row: usize = offsetof<QueryBlock>("row");
export const QueryBlock_rows: usize = offsetof<QueryBlock>("rows");
export const QueryBlock_pageTable: usize = offsetof<QueryBlock>("pageTable");
export const QueryBlock_last: usize = offsetof<QueryBlock>("last");

export const PanelTile_dst: usize = offsetof<PanelTile>("dst");
export const PanelTile_dstStride: usize = offsetof<PanelTile>("dstStride");
export const PanelTile_tokens: usize = offsetof<PanelTile>("tokens");
export const PanelTile_panel: usize = offsetof<PanelTile>("panel");
export const PanelTile_scales: usize = offsetof<PanelTile>("scales");
export const PanelTile_minima: usize = offsetof<PanelTile>("minima");
export const PanelTile_x: usize = offsetof<PanelTile>("x");
export const PanelTile_second: usize = offsetof<PanelTile>("second");
export const PanelTile_meta: usize = offsetof<PanelTile>("meta");
export const PanelTile_from: usize = offsetof<PanelTile>("from");
export const PanelTile_count: usize = offsetof<PanelTile>("count");
export const PanelTile_planes: usize = offsetof<PanelTile>("planes");
export const PanelTile_columnsPerScale: usize = offsetof<PanelTile>("columnsPerScale");

export const BlockMeta_scale: usize = offsetof<BlockMeta>("scale");
export const BlockMeta_scaledSum: usize = offsetof<BlockMeta>("scaledSum");
export const BlockMeta_centreFirst: usize = offsetof<BlockMeta>("centreFirst");
export const BlockMeta_centreSecond: usize = offsetof<BlockMeta>("centreSecond");
export const BlockMeta_centreCodes0: usize = offsetof<BlockMeta>("centreCodes0");
export const BlockMeta_centreCodes1: usize = offsetof<BlockMeta>("centreCodes1");
export const BlockMeta_digits: usize = offsetof<BlockMeta>("digits");
export const BlockMeta_lowCentreSecond: usize = offsetof<BlockMeta>("lowCentreSecond");
export const BlockMeta_lowCentreFirst: usize = offsetof<BlockMeta>("lowCentreFirst");
export const BlockMeta_highCentreFirst: usize = offsetof<BlockMeta>("highCentreFirst");
export const BlockMeta_lowScaledSum: usize = offsetof<BlockMeta>("lowScaledSum");
export const BlockMeta_highScaledSum: usize = offsetof<BlockMeta>("highScaledSum");

export const WeightType_id: usize = offsetof<WeightType>("id");
export const WeightType_blockColumns: usize = offsetof<WeightType>("blockColumns");
export const WeightType_blockBytes: usize = offsetof<WeightType>("blockBytes");
export const WeightType_bits: usize = offsetof<WeightType>("bits");
export const WeightType_scales: usize = offsetof<WeightType>("scales");
export const WeightType_columnsPerScale: usize = offsetof<WeightType>("columnsPerScale");
export const WeightType_minima: usize = offsetof<WeightType>("minima");
export const WeightType_levels: usize = offsetof<WeightType>("levels");
export const WeightType_f16At: usize = offsetof<WeightType>("f16At");
