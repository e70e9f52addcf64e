/**
 * The type that each tensor is stored in.
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import type { TensorInfo } from "../../src/formats/checkpoint.ts";
import { isConvolution } from "../../src/formats/derived-tensors.ts";
import { type TensorType, tensorTypeFacts } from "../../src/formats/tensor-types.ts";
import { fittingType, type Mix, type ModelFacts, mainTypes, typeFor } from "./mixes.ts";

/**
 * The type of a whole file. A mix gives some tensors a larger type (mixes.ts); with any other type all matrices have
 * that type.
 */
export type WeightType = "f32" | "f16" | "bf16" | "q8_0" | "q5_1" | "q5_0" | "q4_1" | "q4_0" | "mxfp4" | Mix;

/** The type of one tensor. */
export type TensorWeightType = Exclude<WeightType, `q${string}_k_${string}`> | "q3_k" | "q4_k" | "q5_k";

/** llama.cpp's number for a file whose weights are mostly of this type (llama.h, `llama_ftype`); largest type first. */
const fileTypes: Record<WeightType, number> = {
  f32: 0,
  bf16: 32,
  f16: 1,
  q8_0: 7,
  q6_k: 18,
  q5_1: 9,
  q5_k_m: 17,
  q5_k_s: 16,
  q5_0: 8,
  q4_1: 3,
  q4_k_m: 15,
  q4_k_s: 14,
  q4_0: 2,
  iq4_nl: 25,
  iq4_xs: 30,
  mxfp4: 38,
  q3_k_l: 13,
  q3_k_m: 12,
  q3_k_s: 11,
  q2_k: 10,
};

/** The names for `--tensor-type`. */
export const tensorWeightTypeNames: readonly string[] = [
  ...Object.keys(fileTypes).filter((name) => !/_k_/.test(name)),
  "q5_k",
  "q4_k",
  "q3_k",
];

/** The names for `--type`, largest first. */
export const weightTypeNames: readonly WeightType[] = Object.keys(fileTypes) as WeightType[];

/** The types that the tensors of a file get. */
export interface TypeChoice {
  /** Type of all matrices, or a mix. */
  readonly type: WeightType;
  /**
   * Exceptions by tensor name; `*` stands for any text. The first pattern that matches applies. Example:
   * `["token_embd.*", "q8_0"]`.
   */
  readonly tensorType?: readonly (readonly [pattern: string, type: TensorWeightType])[];
  /** Whether all matrices get a mix's main type. Default: false. */
  readonly pure?: boolean;
}

/** The type with a name in lower or upper case, as llama.cpp writes Q4_K_M. @throws NibbleError `invalid_argument` */
export function weightType(name: string): WeightType {
  const type = weightTypeNames.find((known) => known === name.toLowerCase());
  if (type !== undefined) return type;
  throw new NibbleError("invalid_argument", `weight type: expected one of ${weightTypeNames.join(", ")}, got ${name}`);
}

/** The type of one tensor by its name, in either case. @throws NibbleError `invalid_argument`, also for the name of a mix */
export function tensorWeightType(name: string): TensorWeightType {
  if (tensorWeightTypeNames.includes(name.toLowerCase())) return name.toLowerCase() as TensorWeightType;
  throw new NibbleError(
    "invalid_argument",
    `type of a tensor: expected one of ${tensorWeightTypeNames.join(", ")}, got ${name}`,
  );
}

/** `general.file_type` of a file whose matrices are mostly of this type. */
export function fileType(type: WeightType): number {
  return fileTypes[weightType(type)];
}

/** Tables of BERT that llama.cpp keeps in F32: their rows are added to others, and they are small. */
const KEPT_F32: ReadonlySet<string> = new Set(["position_embd.weight", "token_types.weight"]);

/**
 * The type of a tensor. Vectors (norms, biases) and the kernels of convolutions are always F32, as in every file of llama.cpp. A matrix whose rows are not
 * whole blocks gets another type, and `reason` says so.
 * @param facts about the model; only a mix needs them
 * @throws NibbleError `invalid_argument` for an unknown type, or a mix without facts
 */
export function chooseType(
  tensor: Pick<TensorInfo, "name" | "shape">,
  choice: TypeChoice,
  facts?: ModelFacts,
): { type: TensorType; reason?: string } {
  if (tensor.shape.length === 1 || isConvolution(tensor.name) || KEPT_F32.has(tensor.name)) return { type: "F32" };
  const wanted = wantedType(tensor, choice, facts);
  const columns = tensor.shape.at(-1)!;
  const type = fittingType(wanted, columns);
  if (type === wanted) return { type };
  return {
    type,
    reason: `rows of ${columns} values are not a multiple of the ${tensorTypeFacts(wanted).blockValues} values in a block of ${wanted}`,
  };
}

function wantedType(tensor: Pick<TensorInfo, "name" | "shape">, choice: TypeChoice, facts?: ModelFacts): TensorType {
  const exception = choice.tensorType?.find(([pattern]) => matchesName(pattern, tensor.name));
  if (exception !== undefined) return tensorWeightType(exception[1]).toUpperCase() as TensorType;
  const type = weightType(choice.type);
  if (!isMix(type)) return type.toUpperCase() as TensorType;
  if (choice.pure) return mainTypes[type];
  if (facts === undefined)
    throw new NibbleError("invalid_argument", `${type} is a mix, for which the model's facts are required`);
  return typeFor(tensor, type, facts);
}

function isMix(type: WeightType): type is Mix {
  return Object.hasOwn(mainTypes, type);
}

/** Whether a name matches a pattern in which `*` stands for any text. The time is linear in the length of the name. */
export function matchesName(pattern: string, name: string): boolean {
  const pieces = pattern.split("*");
  const first = pieces.shift()!;
  if (pieces.length === 0) return name === first;
  const last = pieces.pop()!;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= name.length - last.length;
}
