import { DeltaRule } from "../../recurrent-operations";
import { getF32, setF32 } from "../scalar";

export function deltaRuleRef(op: DeltaRule, row: i32, head: i32, column: i32, state: usize): void {
  const columns = op.valueDim - column < 16 ? 4 : 16;
  const repeats = op.valueHeads / op.keyHeads;
  const keyHead = op.tiled ? head % op.keyHeads : head / repeats;
  const src = op.src + <usize>(row * op.srcStride);
  const query = keyHead * op.keyDim;
  const key = (op.keyHeads + keyHead) * op.keyDim;
  const values = op.values + <usize>(row * op.valueStride);
  const decay = getF32(op.decays + <usize>(row * op.decayStride), head);
  const beta = getF32(op.betas + <usize>(row * op.betaStride), head);
  for (let c = 0; c < columns; c++) {
    let recalled: f32 = 0;
    for (let i = 0; i < op.keyDim; i++) recalled += getF32(src, key + i) * getF32(state, i * columns + c);
    const difference: f32 = beta * (getF32(values, head * op.valueDim + column + c) - decay * recalled);
    let sum: f32 = 0;
    for (let i = 0; i < op.keyDim; i++) {
      const kept: f32 = decay * getF32(state, i * columns + c) + getF32(src, key + i) * difference;
      setF32(state, i * columns + c, kept);
      sum += getF32(src, query + i) * kept;
    }
    setF32(op.dst + <usize>(row * op.dstStride), head * op.valueDim + column + c, op.scale * sum);
  }
}
