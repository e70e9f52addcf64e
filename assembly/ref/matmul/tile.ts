import { PanelTile } from "../../kernels/matmul/tile";
import { BLOCK, TILE_TOKENS } from "../../layout";
import { codeAt, metaAt } from "../activations";
import { getF32, setF32 } from "../scalar";
import { indexI8, indexI16, scaleIndex } from "./panel";

/**
 * Multiplies whole codes instead of digits, because 254 * first + second is the same integer. Weight codes are centred
 * here.
 */
export function matmulTileI8Ref(t: PanelTile): void {
  multiply(t, true, t.minima ? 0 : 8 << t.planes);
}

/** Multiplies the codes of an i16 panel, which are centred already. */
export function matmulTileI16Ref(t: PanelTile): void {
  multiply(t, false, 0);
}

function multiply(t: PanelTile, bytes: bool, zero: i32): void {
  const perScale = t.columnsPerScale;
  for (let token = 0; token < t.tokens; token++) {
    for (let row = 0; row < 8; row++) {
      const dst = t.dst + <usize>token * t.dstStride;
      let acc: f32 = t.from ? getF32(dst, row) : 0;
      for (let block = 0; block < t.count / perScale; block++) {
        const begin = block * perScale;
        const d = getF32(metaAt(t.x, t.columns, TILE_TOKENS, token, (t.from + begin) / BLOCK), 0);
        let sum: i32 = 0;
        let codes: i32 = 0; // the sum of the codes of x
        for (let c = begin; c < begin + perScale; c++) {
          const weight = bytes
            ? <i32>load<u8>(t.panel + <usize>indexI8(row, c)) - zero
            : <i32>load<i16>(t.panel + <usize>(2 * indexI16(row, c)));
          const code = <i32>load<i16>(codeAt(t.x, t.columns, TILE_TOKENS, token, t.from + c));
          sum += weight * code;
          codes += code;
        }
        acc += <f32>sum * (getF32(t.scales, scaleIndex(row, block)) * d);
        if (t.minima) acc += getF32(t.minima, scaleIndex(row, block)) * (d * <f32>codes);
      }
      setF32(dst, row, acc);
    }
  }
}
