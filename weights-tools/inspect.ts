/**
 * Describes a checkpoint from its header alone. No weight is read.
 * @module
 */

import type { Checkpoint, MetadataValue } from "../src/formats/checkpoint.ts";
import type { TensorType } from "../src/formats/tensor-types.ts";

/** A checkpoint as plain data, ready for JSON. */
export interface Inspection {
  readonly format: Checkpoint["format"];
  readonly architecture: string;
  readonly name: string | undefined;
  /** Number of weights. */
  readonly parameters: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Mean bits per weight over all tensors. */
  readonly bitsPerWeight: number;
  /** The sum of the tensors of each type, in the order of their bytes, largest first. */
  readonly types: readonly { type: TensorType; tensors: number; parameters: number; bytes: number }[];
  readonly metadata: readonly { key: string; value: number | string | boolean | ArraySummary }[];
  readonly tensors: readonly { name: string; type: TensorType; shape: readonly number[]; bytes: number }[];
  /** Bytes that were read. */
  readonly headerBytes: number;
}

/** The length and first entries of a metadata array. Vocabularies have hundreds of thousands. */
interface ArraySummary {
  readonly length: number;
  readonly first: readonly (number | string | boolean)[];
}

/** Entries of an array that are shown. */
const shownEntries = 8;

/** Describes a checkpoint. */
export function inspectCheckpoint(checkpoint: Checkpoint): Inspection {
  const tensors = [...checkpoint.tensors.values()].map(({ name, type, shape, byteLength }) => ({
    name,
    type,
    shape,
    bytes: byteLength,
  }));
  const types = new Map<TensorType, { type: TensorType; tensors: number; parameters: number; bytes: number }>();
  for (const { type, shape, bytes } of tensors) {
    const sum = types.get(type) ?? { type, tensors: 0, parameters: 0, bytes: 0 };
    types.set(type, {
      type,
      tensors: sum.tensors + 1,
      parameters: sum.parameters + shape.reduce((product, length) => product * length, 1),
      bytes: sum.bytes + bytes,
    });
  }
  const sums = [...types.values()].sort((a, b) => b.bytes - a.bytes);
  const parameters = sums.reduce((total, sum) => total + sum.parameters, 0);
  const bytes = sums.reduce((total, sum) => total + sum.bytes, 0);
  const name = checkpoint.metadata.get("general.name");
  return {
    format: checkpoint.format,
    architecture: checkpoint.architecture,
    name: typeof name === "string" ? name : undefined,
    parameters,
    bytes,
    bitsPerWeight: parameters === 0 ? 0 : (8 * bytes) / parameters,
    types: sums,
    metadata: [...checkpoint.metadata].map(([key, value]) => ({ key, value: summary(value) })),
    tensors,
    headerBytes: checkpoint.headerBytes,
  };
}

function summary(value: MetadataValue): number | string | boolean | ArraySummary {
  if (typeof value !== "object") return value;
  return { length: value.length, first: Array.from<number | string | boolean>(value.slice(0, shownEntries)) };
}
