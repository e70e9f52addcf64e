import { BlockMeta, META_BYTES } from "../activations";
import { BLOCK } from "../layout";
import { codeAt, digitAt, metaAt } from "./activations";
import { getF32, nearestCode, setF32 } from "./scalar";

function blockMax(src: usize, block: i32): f32 {
  let amax: f32 = 0;
  for (let c = 0; c < BLOCK; c++) amax = max<f32>(amax, abs<f32>(getF32(src, block * BLOCK + c)));
  return amax;
}

export function quantizeRowRef(dst: usize, src: usize, columns: i32, wide: i32, width: i32, tileRow: i32): void {
  const blocks = columns / BLOCK;
  let total: f32 = 0;
  for (let b = 0; b < blocks; b++) total += blockMax(src, b) * blockMax(src, b);
  const limit: f32 = (4 * total) / <f32>blocks;
  for (let b = 0; b < blocks; b++) {
    const amax = blockMax(src, b);
    if (wide) quantizeWide(dst, src, columns, width, tileRow, b, amax);
    else if (hasCodes(amax) && amax * amax > limit) quantizeDigits(dst, src, columns, width, tileRow, b, amax, 2);
    else quantizeDigits(dst, src, columns, width, tileRow, b, amax, 1);
  }
}

function hasCodes(amax: f32): bool {
  return amax >= 1e-30 && isFinite<f32>(amax);
}

/** The step between codes; the scale of a block without codes is 0, or NaN where a value is not finite. */
function scaleOf(amax: f32, limit: f32): f32 {
  if (hasCodes(amax)) return amax / limit;
  return isFinite<f32>(amax) ? 0 : <f32>NaN;
}

function quantizeWide(dst: usize, src: usize, columns: i32, width: i32, tileRow: i32, block: i32, amax: f32): void {
  for (let c = block * BLOCK; c < (block + 1) * BLOCK; c++) {
    const code = hasCodes(amax) ? nearestCode(getF32(src, c) * (32767 / amax)) : 0;
    store<i16>(codeAt(dst, columns, width, tileRow, c), <i16>code);
  }
  setF32(metaAt(dst, columns, width, tileRow, block), 0, scaleOf(amax, 32767));
}

/** Quantises a block to digits. A code is 254 * first + second with two digits, and first with one. */
function quantizeDigits(
  dst: usize,
  src: usize,
  columns: i32,
  width: i32,
  tileRow: i32,
  block: i32,
  amax: f32,
  digits: i32,
): void {
  const at = metaAt(dst, columns, width, tileRow, block);
  const meta = changetype<BlockMeta>(at);
  memory.fill(at, 0, META_BYTES);
  let sum: i32 = 0;
  let low: i32 = 0; // the sum over the low 16 columns
  for (let c = 0; c < BLOCK; c++) {
    const column = block * BLOCK + c;
    const scaled: f32 = hasCodes(amax) ? getF32(src, column) * (127 / amax) : 0;
    const first = nearestCode(scaled);
    let second = 0;
    let code = first;
    store<i8>(digitAt(dst, columns, width, tileRow, column, 0), <i8>first);
    if (digits == 2) {
      second = nearestCode((scaled - nearest<f32>(scaled)) * 254);
      store<i8>(digitAt(dst, columns, width, tileRow, column, 1), <i8>second);
      code = 254 * first + second;
    }
    store<i16>(codeAt(dst, columns, width, tileRow, column), <i16>code);
    sum += code;
    if (c < 16) low += code;
    const lane = c % 4 < 2 ? 0 : 1;
    addI16(at + offsetof<BlockMeta>("centreFirst"), lane, -8 * first);
    addI16(at + offsetof<BlockMeta>("centreSecond"), lane, -8 * second);
    if (c < 16) addI16(at + offsetof<BlockMeta>("lowCentreSecond"), lane, -8 * second);
    addI16(
      at + (c < 16 ? offsetof<BlockMeta>("lowCentreFirst") : offsetof<BlockMeta>("highCentreFirst")),
      lane,
      -8 * first,
    );
    if (lane == 0) meta.centreCodes0 -= 8 * code;
    else meta.centreCodes1 -= 8 * code;
  }
  const d = scaleOf(amax, digits == 2 ? 127 * 254 : 127);
  meta.scale = d;
  meta.scaledSum = d * <f32>sum;
  meta.digits = digits;
  meta.lowScaledSum = d * <f32>low;
  meta.highScaledSum = d * <f32>(sum - low);
}

function addI16(base: usize, i: i32, value: i32): void {
  const at = base + <usize>(2 * i);
  store<i16>(at, <i16>(<i32>load<i16>(at) + value));
}
