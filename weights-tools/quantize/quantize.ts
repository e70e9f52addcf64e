/**
 * float32 to stored weights: the scalar reference, with one encoder per tensor type. Layouts: see ../dequantize.
 *
 * The types with a closed form use it as long as there is no importance matrix (closed-forms.ts). All others, and these
 * with an importance matrix, search for the least weighted error (searches.ts).
 * @module
 */
import { NibbleError } from "../../src/base/errors.ts";
import { type TensorType, tensorTypeFacts } from "../../src/formats/tensor-types.ts";
import { closedForms } from "./closed-forms.ts";
import type { BlockEncoder, ValuesOfBlock } from "./encoder.ts";
import { searchEncoders } from "./searches.ts";

const direct: ReadonlyMap<TensorType, BlockEncoder> = new Map(closedForms);
const searches: ReadonlyMap<TensorType, BlockEncoder> = new Map(searchEncoders);

/** Without an importance the bytes of Q4_0 ... Q8_0 are ggml's. */
function encoderOf(type: TensorType, weighted: boolean): BlockEncoder | undefined {
  const [first, second] = weighted ? [searches, direct] : [direct, searches];
  return first.get(type) ?? second.get(type);
}

/** Whether `quantize` knows the type. */
export function canQuantize(type: TensorType): boolean {
  return encoderOf(type, false) !== undefined;
}

/**
 * Encodes whole blocks.
 * @param bytes (values.length / blockValues) blocks, filled to the end
 * @param importance [columns]: how much the squared error of each column counts, as an importance matrix has it (the mean
 *   square of the activations that the column is multiplied with). `values` are then whole rows. F32, F16 and BF16 do
 *   not use it.
 * @throws NibbleError `bad_weights` for NaN, infinity, or a value or scale beyond what the type can hold;
 *   `unsupported_type`; `bad_shape` if the lengths do not fit each other; `invalid_argument` for an importance that is
 *   negative, NaN or infinite
 */
export function quantize(type: TensorType, values: Float32Array, bytes: Uint8Array, importance?: Float32Array): void {
  const encode = encoderOf(type, importance !== undefined);
  if (encode === undefined)
    throw new NibbleError("unsupported_type", `writing weights of type ${type} is not supported`);
  const { blockValues, blockBytes } = tensorTypeFacts(type);
  const expected = (values.length / blockValues) * blockBytes;
  if (bytes.length !== expected) {
    throw new NibbleError(
      "bad_shape",
      `${values.length} values of ${type}: expected room for ${expected} bytes, got ${bytes.length}`,
    );
  }
  checkFinite(values);
  const columns = importance === undefined ? blockValues : importance.length;
  if (importance !== undefined) checkImportance(importance, values.length, blockValues);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const block: ValuesOfBlock = { values, from: 0, bytes: view, at: 0, importance, column: 0 };
  for (; block.at < bytes.length; block.at += blockBytes, block.from += blockValues) {
    encode(block);
    block.column = (block.column + blockValues) % columns;
  }
}

function checkImportance(importance: Float32Array, count: number, blockValues: number): void {
  const columns = importance.length;
  if (columns === 0 || count % columns !== 0 || columns % blockValues !== 0) {
    throw new NibbleError(
      "bad_shape",
      `expected an importance for each column of ${count} values in blocks of ${blockValues}, got ${columns} columns`,
    );
  }
  for (let i = 0; i < columns; i++) {
    const value = importance[i]!;
    if (value >= 0 && value < Number.POSITIVE_INFINITY) continue;
    throw new NibbleError("invalid_argument", `expected a finite importance of 0 or more, got ${value} at column ${i}`);
  }
}

/** @throws NibbleError `bad_weights` at the first NaN or infinity */
export function checkFinite(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new NibbleError("bad_weights", `expected finite weights, got ${values[i]}`);
  }
}
