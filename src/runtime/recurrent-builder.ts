/**
 * The builder's operations for recurrent layers and for gates (assembly/recurrent-operations.ts).
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { TensorInfo } from "../formats/checkpoint.ts";
import { align } from "./layout.ts";
import { dst, Recording, src, type Value } from "./recording.ts";
import { WeightTable } from "./weight-table.ts";

/** The heads of a gated delta rule. */
export interface DeltaShape {
  readonly keyHeads: number;
  /** A multiple of keyHeads. */
  readonly valueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  /** Whether value head h reads key head h % keyHeads. Otherwise, neighbouring value heads share a key head. */
  readonly tiled: boolean;
}

export class RecurrentBuilder {
  protected readonly recording: Recording;
  protected readonly weights: WeightTable;
  /** Bytes of a sequence's state over the layers so far. */
  protected stateBytes = 0;

  constructor(tensors: ReadonlyMap<string, TensorInfo>, threads: number) {
    this.recording = new Recording(threads);
    this.weights = new WeightTable(tensors);
  }

  /** `width` neighbouring values of each row of x, from value `from` on: a multiple of 4. They stay in x's place. */
  slice(x: Value, from: number, width: number): Value {
    return { ...x, width, offset: x.offset + 4 * from };
  }

  /** x [heads][parts][n] of each row as `parts` values of [heads][n]. */
  splitHeads(x: Value, heads: number, parts: number): Value[] {
    const y = this.recording.value(x.width, x.rows);
    const partBytes = (4 * x.width) / (heads * parts);
    this.recording.emit("splitHeads", x.rows, { ...dst(y), ...src(x), heads, parts, partBytes });
    const width = x.width / parts;
    return Array.from({ length: parts }, (_, part) => this.slice(y, part * width, width));
  }

  /** sigmoid(gate) * up. */
  sigmoidMul(gate: Value, up: Value): Value {
    return this.gatedMul("sigmoidMul", gate, up);
  }

  /** x * y. */
  mul(x: Value, y: Value): Value {
    return this.gatedMul("mul", x, y);
  }

  protected gatedMul(name: "siluMul" | "geluMul" | "sigmoidMul" | "mul", gate: Value, up: Value): Value {
    const y = this.recording.place(gate);
    this.recording.emit(name, gate.rows, {
      ...dst(y),
      gate: { place: gate },
      gateStride: gate.buffer.stride,
      up: { place: up },
      upStride: up.buffer.stride,
      n: align(gate.width, 4),
    });
    return y;
  }

  /** sigmoid(x). x must not be read again. */
  sigmoid(x: Value): Value {
    const y = this.recording.own(x);
    this.recording.emit("sigmoid", x.rows, { ...dst(y), n: align(x.width, 4) });
    return y;
  }

  /** exp(rate softplus(x + bias)) with vectors [x.width]. x must not be read again. */
  decay(x: Value, bias: string, rate: string): Value {
    for (const weight of [bias, rate]) this.weights.vector(weight, x.width);
    const vectors = { bias: { weight: bias }, rate: { weight: rate } };
    const y = this.recording.own(x);
    this.recording.emit("decay", x.rows, { ...dst(y), n: align(x.width, 4), ...vectors });
    return y;
  }

  /**
   * Causal depthwise convolution over the tokens of each sequence: [rows, x.width]. The state is its last taps - 1 inputs.
   * @param weight name of the tensor [x.width, taps], of which the last tap belongs to the token itself
   * @param options.silu whether silu is applied to the sums
   */
  shortConv(x: Value, weight: string, taps: number, { silu = false }: { readonly silu?: boolean } = {}): Value {
    multipleOf4("channels of a convolution", x.width);
    this.weights.transposed(weight, x.width, taps);
    const y = this.recording.value(x.width, "all", false);
    const fields = { weights: { weight }, taps, channels: x.width, silu: silu ? 1 : 0 };
    const state = this.state((taps - 1) * x.width);
    this.recording.emit("shortConv", "all", { ...dst(y), ...src(x), ...fields, state });
    return y;
  }

  /**
   * The gated delta rule (Yang, Kautz and Hatamizadeh 2024, arXiv:2412.06464) over the tokens of each sequence:
   * [rows, valueHeads valueDim]. The state of a value head is a matrix S [keyDim, valueDim]. Each token changes it to
   * decay S + k (beta (v - decay S^T k))^T, and the output is scale S^T q.
   * @param operands.keys queries [keyHeads, keyDim], and keys of the same shape behind them
   * @param operands.values [valueHeads, valueDim]
   * @param operands.decay by how much the state is kept, and `beta`, how much of the difference is written: [valueHeads]
   * @param scale factor of the output
   */
  deltaRule(
    operands: { readonly keys: Value; readonly values: Value; readonly decay: Value; readonly beta: Value },
    shape: DeltaShape,
    scale: number,
  ): Value {
    const { keyHeads, valueHeads, keyDim, valueDim, tiled } = shape;
    multipleOf4("values of a head", valueDim);
    const { keys, values, decay, beta } = operands;
    const y = this.recording.value(valueHeads * valueDim, "all", false);
    this.recording.emit("deltaRule", "all", {
      ...dst(y),
      ...src(keys),
      values: { place: values },
      valueStride: values.buffer.stride,
      decays: { place: decay },
      decayStride: decay.buffer.stride,
      betas: { place: beta },
      betaStride: beta.buffer.stride,
      keyHeads,
      valueHeads,
      keyDim,
      valueDim,
      tiled: tiled ? 1 : 0,
      scale,
      state: this.state(valueHeads * keyDim * valueDim),
    });
    return y;
  }

  /** Reserves `count` f32 of the state. Returns where they begin. */
  private state(count: number): number {
    const offset = this.stateBytes;
    this.stateBytes += align(4 * count);
    return offset;
  }
}

function multipleOf4(what: string, count: number): void {
  if (count % 4 !== 0) throw new NibbleError("bad_value", `expected a multiple of 4 ${what}, got ${count}`);
}
