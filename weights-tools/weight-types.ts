/**
 * Which type each tensor is stored in.
 * @module
 */
import { NibbleError } from "../src/errors.ts";
import { type TensorType, tensorTypeFacts } from "../src/formats/tensor-types.ts";
import type { TensorInfo } from "../src/formats/types.ts";

export type WeightType = "f32" | "f16" | "bf16" | "q8_0" | "q5_1" | "q5_0" | "q4_1" | "q4_0";

/** The tensor type, and llama.cpp's number for a file of mostly this type (llama.h, `llama_ftype`). */
const weightTypes: Record<WeightType, { tensorType: TensorType; fileType: number }> = {
  f32: { tensorType: "F32", fileType: 0 },
  f16: { tensorType: "F16", fileType: 1 },
  bf16: { tensorType: "BF16", fileType: 32 },
  q8_0: { tensorType: "Q8_0", fileType: 7 },
  q5_1: { tensorType: "Q5_1", fileType: 9 },
  q5_0: { tensorType: "Q5_0", fileType: 8 },
  q4_1: { tensorType: "Q4_1", fileType: 3 },
  q4_0: { tensorType: "Q4_0", fileType: 2 },
};

/** The names for `--type`, largest first. */
const weightTypeNames: readonly WeightType[] = Object.keys(weightTypes) as WeightType[];

export interface TypeChoice {
  /** Type of all matrices. */
  readonly type: WeightType;
  /** Exceptions by tensor name; `*` stands for any text. The first that matches wins. Example: `["token_embd.*", "q8_0"]`. */
  readonly tensorType?: readonly (readonly [pattern: string, type: WeightType])[];
}

/** @throws NibbleError `invalid_argument` */
export function weightType(name: string): WeightType {
  const type = weightTypeNames.find((known) => known === name.toLowerCase());
  if (type !== undefined) return type;
  throw new NibbleError("invalid_argument", `expected a type of ${weightTypeNames.join(", ")}, got ${name}`);
}

/** `general.file_type` of a file whose matrices are mostly of this type. */
export function fileType(type: WeightType): number {
  return weightTypes[weightType(type)].fileType;
}

/**
 * Vectors (norms, biases) are always F32, as in every file of llama.cpp. A matrix whose rows are no whole blocks
 * falls back to F16, which says so in `reason`.
 */
export function chooseType({ name, shape }: TensorInfo, choice: TypeChoice): { type: TensorType; reason?: string } {
  if (shape.length === 1) return { type: "F32" };
  const exception = choice.tensorType?.find(([pattern]) => matches(pattern, name));
  const type = weightTypes[weightType(exception?.[1] ?? choice.type)].tensorType;
  const { blockValues } = tensorTypeFacts(type);
  const columns = shape.at(-1)!;
  if (columns % blockValues === 0) return { type };
  return { type: "F16", reason: `rows of ${columns} values are no multiple of ${type}'s ${blockValues}` };
}

/** Glob with `*` only. Matching piece by piece takes linear time, whatever the pattern. */
function matches(pattern: string, name: string): boolean {
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
