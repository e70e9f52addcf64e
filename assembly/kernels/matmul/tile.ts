import { BLOCK } from "../../layout";
import { Any, Four, multiply, Plain, Two } from "./multiply";
import { PanelTile } from "./panel-tile";

/**
 * Multiplies codes of 4 to 6 bits in the relaxed build: int8 digits of the activations times u8 codes.
 *
 * Lanes of i16 are exact. Centred (activations.ts), the sum of a lane's 16 columns is at most 16 * 16 * 127 = 32,512 for
 * codes of 5 bits, and so is that of 8 columns for codes of 6 bits; intermediate sums may wrap. Codes of 4 bits with
 * minima need no centre: 15 * 127 * 16 = 30,480. For codes of 5 bits with minima the centre is undone in i32.
 */
export function matmulTileI8(t: PanelTile): void {
  multiplyDigits<i16>(t);
}

/** The same kernel where `FUSED_DOT`, with sums of four products in lanes of i32. */
export function matmulTileI8Fused(t: PanelTile): void {
  multiplyDigits<i32>(t);
}

function multiplyDigits<S>(t: PanelTile): void {
  const plain = t.planes == 0 && t.columnsPerScale == BLOCK;
  if (t.tokens > 2) {
    if (plain) multiply<u8, S, Plain, Four>(t);
    else multiply<u8, S, Any, Four>(t);
  } else if (plain) multiply<u8, S, Plain, Two>(t);
  else multiply<u8, S, Any, Two>(t);
}

/**
 * Multiplies int8 weights and levels in every build, and all other codes in the baseline build: i16 codes of the
 * activations times i16 codes. Sums are exact in i32: 32 * 128 * 32767 < 2^27.
 */
export function matmulTileI16(t: PanelTile): void {
  if (t.tokens > 2) multiply<i16, i32, Any, Four>(t);
  else multiply<i16, i32, Any, Two>(t);
}
