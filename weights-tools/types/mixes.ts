/**
 * The mixes of llama.cpp: in a file of mostly one type, the tensors that suffer most get a larger one.
 * Rules: llama.cpp, src/llama-quant.cpp, for dense models and models of eight experts.
 * @module
 */

import type { Checkpoint, TensorInfo } from "../../src/formats/checkpoint.ts";
import { type TensorType, tensorTypeFacts } from "../../src/formats/tensor-types.ts";

export type Mix =
  | "q2_k"
  | "q3_k_s"
  | "q3_k_m"
  | "q3_k_l"
  | "q4_k_s"
  | "q4_k_m"
  | "q5_k_s"
  | "q5_k_m"
  | "q6_k"
  | "iq4_nl"
  | "iq4_xs";

/** What the rules ask of a model. */
export interface ModelFacts {
  readonly layers: number;
  /** Query heads that share one head of k and v. */
  readonly headsPerKvHead: number;
  readonly experts: number;
  /** Whether `token_embd` is the output matrix, too. */
  readonly tiedOutput: boolean;
  /** Whether an importance matrix is used. */
  readonly importance: boolean;
}

/** Reads the facts; counts that a file does not give as one number are taken as those of a dense model without groups. */
export function modelFacts({ architecture, metadata, tensors }: Checkpoint, importance = false): ModelFacts {
  const count = (key: string, otherwise: number): number => {
    const value = metadata.get(`${architecture}.${key}`);
    return typeof value === "number" && value > 0 ? value : otherwise;
  };
  const heads = count("attention.head_count", 1);
  return {
    layers: count("block_count", 1),
    headsPerKvHead: heads / count("attention.head_count_kv", heads),
    experts: count("expert_count", 0),
    tiedOutput: !tensors.has("output.weight"),
    importance,
  };
}

/** The type that a mix is named after. */
export const mainTypes: Readonly<Record<Mix, TensorType>> = {
  q2_k: "Q2_K",
  q3_k_s: "Q3_K",
  q3_k_m: "Q3_K",
  q3_k_l: "Q3_K",
  q4_k_s: "Q4_K",
  q4_k_m: "Q4_K",
  q5_k_s: "Q5_K",
  q5_k_m: "Q5_K",
  q6_k: "Q6_K",
  iq4_nl: "IQ4_NL",
  iq4_xs: "IQ4_XS",
};

/**
 * Type of a matrix in a mix. Its rows need not be whole blocks of it: see `fittingType`.
 * @param tensor GGUF's name and shape; vectors are not asked for
 */
export function typeFor({ name, shape }: Pick<TensorInfo, "name" | "shape">, mix: Mix, facts: ModelFacts): TensorType {
  const main = mainTypes[mix];
  if (name === "output.weight" || (facts.tiedOutput && name === "token_embd.weight")) {
    return shape.at(-1)! % tensorTypeFacts(main).blockValues === 0 ? "Q6_K" : "Q8_0";
  }
  const [, layer, part] = /^blk\.(\d+)\.(.+)\.weight$/.exec(name) ?? [];
  if (layer === undefined || part === undefined) return main;
  return layerRule(part, mix, Number(layer), facts) ?? main;
}

function layerRule(part: string, mix: Mix, layer: number, facts: ModelFacts): TensorType | undefined {
  const { layers, headsPerKvHead, experts, importance } = facts;
  const eighth = Math.floor(layers / 8);
  // The first and the last eighth, and every third layer between.
  const delicate = layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
  if (part === "attn_v") {
    if (experts === 8) return "Q8_0";
    if (mix === "q2_k") return headsPerKvHead >= 4 ? "Q4_K" : "Q3_K";
    if (mix === "q3_k_m") return layer < 2 ? "Q5_K" : "Q4_K";
    if (mix === "q3_k_l") return "Q5_K";
    if (mix === "q4_k_m" || mix === "q5_k_m") return delicate ? "Q6_K" : undefined;
    if (mix === "q4_k_s") return layer < 4 ? "Q5_K" : undefined;
    if (mix === "iq4_nl" || mix === "iq4_xs") return headsPerKvHead >= 4 ? "Q5_K" : undefined;
  }
  if (part === "attn_k" && experts === 8) return "Q8_0";
  if (part === "attn_output") {
    if (experts === 8) return keptByEightExperts.includes(mix) ? undefined : "Q5_K";
    if (mix === "q2_k") return "Q3_K";
    if (mix === "q3_k_m") return "Q4_K";
    if (mix === "q3_k_l") return "Q5_K";
  }
  if (part === "attn_qkv") {
    if (mix === "q3_k_m" || mix === "q3_k_l") return "Q4_K";
    if (mix === "q4_k_m") return "Q5_K";
    if (mix === "q5_k_m") return "Q6_K";
  }
  if (part === "ffn_down" || part === "ffn_down_exps") {
    if (mix === "q2_k") return "Q3_K";
    if (mix === "q3_k_m") return layer < Math.floor(layers / 16) ? "Q5_K" : "Q4_K";
    if (mix === "q3_k_l") return "Q5_K";
    if (mix === "q4_k_m" || mix === "q5_k_m") return delicate ? "Q6_K" : undefined;
    if (mix === "q4_k_s") return layer < eighth ? "Q5_K" : undefined;
    if (mix === "iq4_nl" || mix === "iq4_xs") return layer < eighth && !importance ? "Q5_K" : undefined;
  }
  return undefined;
}

/** Mixes in which attn_output of eight experts keeps the main type; the others give it Q5_K. */
const keptByEightExperts: readonly Mix[] = ["q3_k_l", "q5_k_s", "q5_k_m", "q6_k"];

/** The type of 32-value blocks that llama.cpp takes in size, for rows that are no whole blocks of 256. */
const narrowTypes: ReadonlyMap<TensorType, TensorType> = new Map<TensorType, TensorType>([
  ["Q2_K", "Q4_0"],
  ["Q3_K", "Q4_0"],
  ["IQ4_XS", "IQ4_NL"],
  ["Q4_K", "Q5_0"],
  ["Q5_K", "Q5_1"],
  ["Q6_K", "Q8_0"],
]);

/** `type`, or what llama.cpp takes in its place where rows of `columns` values are no whole blocks; F16 at the last. */
export function fittingType(type: TensorType, columns: number): TensorType {
  const fits = (candidate: TensorType): boolean => columns % tensorTypeFacts(candidate).blockValues === 0;
  if (fits(type)) return type;
  const narrow = narrowTypes.get(type);
  return narrow !== undefined && fits(narrow) ? narrow : "F16";
}
