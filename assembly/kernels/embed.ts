import { loadBF16, loadF16 } from "../lanes";
import { BF16, BLOCK, F16, F32, GROUP_ROWS, groupBytes, Q4_0, Q4_1, Q8_0, tileBytes } from "../layout";

/**
 * Row `row` of a tiled matrix as f32: dst[0..columns). The embedding table is the LM head's matrix, tiled for products.
 * Values are GGML's dequantisation: (code - 8) d, code d + m, code d.
 */
export function embedRow(dst: usize, w: usize, type: i32, columns: i32, row: i32): void {
  assert(row >= 0, "embedRow: row must not be negative");
  let tile = w + <usize>(row / GROUP_ROWS) * <usize>groupBytes(type, columns);
  const lane = row % GROUP_ROWS;
  const quad = lane >> 2;
  const inQuad = lane & 3;
  const bytes = tileBytes(type);
  if (type == F32 || type == F16 || type == BF16) {
    for (let c = 0; c < columns; c++) {
      const at = tile + <usize>(c * bytes);
      const value =
        type == F32
          ? load<f32>(at + ((<usize>lane) << 2))
          : type == F16
            ? loadF16(at + ((<usize>lane) << 1))
            : loadBF16(at + ((<usize>lane) << 1));
      store<f32>(dst + ((<usize>c) << 2), value);
    }
    return;
  }
  for (let block = 0; block < columns / BLOCK; block++) {
    const d = loadF16(tile + ((<usize>lane) << 1));
    const m = type == Q4_1 ? loadF16(tile + 32 + ((<usize>lane) << 1)) : <f32>0;
    const codes = tile + (type == Q4_1 ? 64 : 32);
    for (let c = 0; c < BLOCK; c++) {
      let value: f32;
      if (type == Q8_0) {
        value = <f32>load<i8>(codes + <usize>(((c >> 1) << 5) + (quad << 3) + (inQuad << 1) + (c & 1))) * d;
      } else {
        const byte = load<u8>(codes + <usize>(((c >> 3) << 6) + (quad << 4) + (inQuad << 2) + (c & 3)));
        const code = <i32>(c & 4 ? byte >> 4 : byte & 15);
        value = type == Q4_0 ? <f32>(code - 8) * d : <f32>code * d + m;
      }
      store<f32>(dst + ((<usize>(block * BLOCK + c)) << 2), value);
    }
    tile += bytes;
  }
}
