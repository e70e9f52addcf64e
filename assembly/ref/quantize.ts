import { BLOCK, META_BYTES } from "../layout";
import { getF32, nearestCode, setF32 } from "./scalar";

function blockMax(src: usize, block: i32): f32 {
  let amax: f32 = 0;
  for (let c = 0; c < BLOCK; c++) amax = max<f32>(amax, abs<f32>(getF32(src, block * BLOCK + c)));
  return amax;
}

export function quantizeRowRef(dst: usize, src: usize, columns: i32, wide: i32): void {
  const blocks = columns / BLOCK;
  let total: f32 = 0;
  for (let b = 0; b < blocks; b++) total += blockMax(src, b) * blockMax(src, b);
  const limit: f32 = (4 * total) / <f32>blocks;
  for (let b = 0; b < blocks; b++) {
    const amax = blockMax(src, b);
    if (wide) quantizeWide(dst, src, columns, b, amax);
    else if (amax >= 1e-30 && amax * amax > limit) quantizeDigits(dst, src, columns, b, amax, 2);
    else quantizeDigits(dst, src, columns, b, amax, 1);
  }
}

function quantizeWide(dst: usize, src: usize, columns: i32, block: i32, amax: f32): void {
  const zero = amax < 1e-30;
  for (let c = block * BLOCK; c < (block + 1) * BLOCK; c++) {
    const code = zero ? 0 : nearestCode(getF32(src, c) * (32767 / amax));
    store<i16>(dst + <usize>(2 * (columns + c)), <i16>code);
  }
  setF32(dst + <usize>(4 * columns + block * META_BYTES), 0, zero ? 0 : amax / 32767);
}

/** code = 254 * first + second where there are two digits, first where there is one. */
function quantizeDigits(dst: usize, src: usize, columns: i32, block: i32, amax: f32, digits: i32): void {
  const zero = amax < 1e-30;
  const inverse: f32 = zero ? 0 : 127 / amax;
  const meta = dst + <usize>(4 * columns + block * META_BYTES);
  memory.fill(meta, 0, META_BYTES - 4);
  let sum: i32 = 0;
  for (let c = 0; c < BLOCK; c++) {
    const column = block * BLOCK + c;
    const scaled: f32 = getF32(src, column) * inverse;
    const first = nearestCode(scaled);
    let second = 0;
    let code = first;
    store<i8>(dst + <usize>column, <i8>first);
    if (digits == 2) {
      second = nearestCode((scaled - nearest<f32>(scaled)) * 254);
      store<i8>(dst + <usize>(columns + column), <i8>second);
      code = 254 * first + second;
    }
    store<i16>(dst + <usize>(2 * (columns + column)), <i16>code);
    sum += code;
    const lane = c % 4 < 2 ? 0 : 1;
    addI16(meta + 8, lane, -8 * first);
    addI16(meta + 12, lane, -8 * second);
    const start = meta + <usize>(16 + 4 * lane);
    store<i32>(start, load<i32>(start) - 8 * code);
  }
  const d: f32 = zero ? 0 : digits == 2 ? amax / (127 * 254) : amax / 127;
  setF32(meta, 0, d);
  setF32(meta, 1, d * <f32>sum);
  store<i32>(meta, digits, 24);
}

function addI16(base: usize, i: i32, value: i32): void {
  const at = base + <usize>(2 * i);
  store<i16>(at, <i16>(<i32>load<i16>(at) + value));
}
