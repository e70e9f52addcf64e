import { META_BYTES } from "../../activations";
import { PanelTile } from "../../kernels/matmul/panel-tile";
import { BLOCK, GROUP_ROWS, TILE_TOKENS } from "../../layout";
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

/** The BlockMeta of a token row at a column of the panel. */
function metaAt(t: PanelTile, token: i32, column: i32): usize {
  return t.meta + <usize>(((column / BLOCK) * TILE_TOKENS + token) * META_BYTES);
}

/** The code of an activation: digits are four columns of i8 per token row, i16 codes pairs of columns c and c + 2. */
function codeOf(t: PanelTile, token: i32, column: i32, digits: bool): i32 {
  if (!digits) {
    const pair = (column / 4) * 2 + (column % 2);
    return <i32>load<i16>(t.x + <usize>(2 * ((pair * TILE_TOKENS + token) * 2 + (column % 4) / 2)));
  }
  const at = t.x + <usize>(((column / 4) * TILE_TOKENS + token) * 4 + (column % 4));
  const first = <i32>load<i8>(at);
  const two = load<i32>(metaAt(t, token, column), 24) > 1;
  return two ? 254 * first + <i32>load<i8>(at + t.second) : first;
}

function multiply(t: PanelTile, bytes: bool, zero: i32): void {
  const perScale = t.columnsPerScale;
  for (let token = 0; token < t.tokens; token++) {
    const dst = t.dst + <usize>token * t.dstStride;
    for (let row = 0; row < GROUP_ROWS; row++) {
      let acc: f32 = t.from ? getF32(dst, row) : 0;
      for (let block = 0; block < t.count / perScale; block++) {
        const begin = block * perScale;
        const d = getF32(metaAt(t, token, begin), 0);
        let sum: i32 = 0;
        let codes: i32 = 0; // the sum of the codes of x
        for (let c = begin; c < begin + perScale; c++) {
          const weight = bytes
            ? <i32>load<u8>(t.panel + <usize>indexI8(row, c)) - zero
            : <i32>load<i16>(t.panel + <usize>(2 * indexI16(row, c)));
          const code = codeOf(t, token, c, bytes);
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
