import { BlockMeta, META_BYTES } from "../../activations";
import { addDotI8, pairsTo, sumsI32, times254 } from "../../lanes";
import { storeGroup } from "./accumulate";
import { Centre, secondCentre } from "./centre";
import { PANEL_STEP, PanelTile, X_STEP } from "./panel-tile";

/**
 * Makes the sums of the token rows that have second digits in a block 254 * sum + the sum over second digits. That is
 * rare, so the sums pass through memory.
 * @param t the tile: i32[16] at the dst of each token row are the sums of first digits
 * @param panel the codes that share a scale, `span` bytes   @param x the second digits   @param meta the block's
 */
export function addSecondDigits<S>(
  t: PanelTile,
  panel: usize,
  x: usize,
  meta: usize,
  span: usize,
  which: Centre,
): void {
  for (let token = 0; token < t.tokens; token++) {
    if (load<i32>(meta, offsetof<BlockMeta>("digits")) > 1) {
      const sums = t.dst + <usize>token * t.dstStride;
      let a0 = which < 0 ? i32x4.splat(0) : pairsTo<S>(i16x8.shl(secondCentre(meta, which), t.planes));
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let xd = x;
      for (let w = panel; w < panel + span; w += PANEL_STEP) {
        const x0 = v128.load32_splat(xd);
        a0 = addDotI8<S>(a0, x0, v128.load(w));
        a1 = addDotI8<S>(a1, x0, v128.load(w, 16));
        a2 = addDotI8<S>(a2, x0, v128.load(w, 32));
        a3 = addDotI8<S>(a3, x0, v128.load(w, 48));
        xd += X_STEP;
      }
      a0 = i32x4.add(times254(v128.load(sums)), sumsI32<S>(a0));
      a1 = i32x4.add(times254(v128.load(sums, 16)), sumsI32<S>(a1));
      a2 = i32x4.add(times254(v128.load(sums, 32)), sumsI32<S>(a2));
      a3 = i32x4.add(times254(v128.load(sums, 48)), sumsI32<S>(a3));
      storeGroup(sums, a0, a1, a2, a3);
    }
    x += 4;
    meta += META_BYTES;
  }
}
