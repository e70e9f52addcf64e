/**
 * The mixes of llama.cpp: most tensors of a file get one type, and those that lose most precision by it get a larger
 * one. The rules are those of llama.cpp, src/llama-quant.cpp, for dense models and models of eight experts.
 * @module
 */
import type { Checkpoint, TensorInfo } from "../../src/formats/checkpoint.ts";
import { type TensorType, tensorTypeFacts } from "../../src/formats/tensor-types.ts";

/** The name of a mix. */
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

/** The facts about a model that the rules use. */
export interface ModelFacts {
  readonly layers: number;
  /** Number of query heads that share one head of k and v. */
  readonly headsPerKvHead: number;
  readonly experts: number;
  /** Whether `token_embd` is also the output matrix. */
  readonly tiedOutput: boolean;
  /** Whether an importance matrix is used. */
  readonly importance: boolean;
}

/** Reads the facts. A count that is missing, or not one number, gets the value of a dense model without grouped queries. */
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
 * The type of a matrix in a mix. Its rows need not be whole blocks of that type: see `fittingType`.
 * @param tensor name in GGUF and shape of a matrix
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

/** The larger type of a part of a layer, if the mix gives it one. */
function layerRule(part: string, mix: Mix, layer: number, facts: ModelFacts): TensorType | undefined {
  if (part === "attn_v") return valueRule(mix, layer, facts);
  if (part === "attn_k") return facts.experts === 8 ? "Q8_0" : undefined;
  if (part === "attn_output") return attentionOutputRule(mix, facts);
  if (part === "attn_qkv") return fusedQkvRules.get(mix);
  if (part === "ffn_down" || part === "ffn_down_exps") return downRule(mix, layer, facts);
  return undefined;
}

/** Whether a layer is in the first or the last eighth, or is every third one between. */
function isDelicate(layer: number, { layers }: ModelFacts): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

function valueRule(mix: Mix, layer: number, facts: ModelFacts): TensorType | undefined {
  const { headsPerKvHead, experts } = facts;
  if (experts === 8) return "Q8_0";
  if (mix === "q2_k") return headsPerKvHead >= 4 ? "Q4_K" : "Q3_K";
  if (mix === "q3_k_m") return layer < 2 ? "Q5_K" : "Q4_K";
  if (mix === "q3_k_l") return "Q5_K";
  if (mix === "q4_k_m" || mix === "q5_k_m") return isDelicate(layer, facts) ? "Q6_K" : undefined;
  if (mix === "q4_k_s") return layer < 4 ? "Q5_K" : undefined;
  if (mix === "iq4_nl" || mix === "iq4_xs") return headsPerKvHead >= 4 ? "Q5_K" : undefined;
  return undefined;
}

function attentionOutputRule(mix: Mix, { experts }: ModelFacts): TensorType | undefined {
  if (experts === 8) return keptByEightExperts.includes(mix) ? undefined : "Q5_K";
  if (mix === "q2_k") return "Q3_K";
  if (mix === "q3_k_m") return "Q4_K";
  if (mix === "q3_k_l") return "Q5_K";
  return undefined;
}

const fusedQkvRules: ReadonlyMap<Mix, TensorType> = new Map<Mix, TensorType>([
  ["q3_k_m", "Q4_K"],
  ["q3_k_l", "Q4_K"],
  ["q4_k_m", "Q5_K"],
  ["q5_k_m", "Q6_K"],
]);

function downRule(mix: Mix, layer: number, facts: ModelFacts): TensorType | undefined {
  const isFirstEighth = layer < Math.floor(facts.layers / 8);
  if (mix === "q2_k") return "Q3_K";
  if (mix === "q3_k_m") return layer < Math.floor(facts.layers / 16) ? "Q5_K" : "Q4_K";
  if (mix === "q3_k_l") return "Q5_K";
  if (mix === "q4_k_m" || mix === "q5_k_m") return isDelicate(layer, facts) ? "Q6_K" : undefined;
  if (mix === "q4_k_s") return isFirstEighth ? "Q5_K" : undefined;
  if (mix === "iq4_nl" || mix === "iq4_xs") return isFirstEighth && !facts.importance ? "Q5_K" : undefined;
  return undefined;
}

/** Mixes in which attn_output of a model of eight experts keeps the main type; in the others it gets Q5_K. */
const keptByEightExperts: readonly Mix[] = ["q3_k_l", "q5_k_s", "q5_k_m", "q6_k"];

/** The types with blocks of 32 values that llama.cpp takes for rows that are not whole blocks of 256. */
const narrowTypes: ReadonlyMap<TensorType, TensorType> = new Map<TensorType, TensorType>([
  ["Q2_K", "Q4_0"],
  ["Q3_K", "Q4_0"],
  ["IQ4_XS", "IQ4_NL"],
  ["Q4_K", "Q5_0"],
  ["Q5_K", "Q5_1"],
  ["Q6_K", "Q8_0"],
]);

/** `type`, or the type that llama.cpp takes instead for rows of `columns` values that are not whole blocks of it. */
export function fittingType(type: TensorType, columns: number): TensorType {
  const fits = (candidate: TensorType): boolean => columns % tensorTypeFacts(candidate).blockValues === 0;
  if (fits(type)) return type;
  const narrow = narrowTypes.get(type);
  return narrow !== undefined && fits(narrow) ? narrow : "F16";
}
