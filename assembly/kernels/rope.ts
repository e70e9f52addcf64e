import { storeCosSin } from "../math";

/**
 * Computes the rotations of one position: cosines at dst[0..pairs), sines at dst[pairs..2 pairs).
 * The angle is position * frequency, rounded to f32 as transformers does. Without that rounding results are off by up to
 * 8e-4 at position 30,000.
 * @param frequencies f32[pairs]: inverse frequencies, with any scaling applied
 */
export function ropeTable(dst: usize, frequencies: usize, pairs: i32, position: i32): void {
  assert(position >= 0, "ropeTable: position must not be negative");
  const sine = (<usize>pairs) << 2;
  for (let j = 0; j < pairs; j++) {
    const at = (<usize>j) << 2;
    const angle: f32 = <f32>position * load<f32>(frequencies + at);
    storeCosSin(<f64>angle, dst + at, dst + sine + at);
  }
}

/**
 * Applies rotary position embedding (Su et al. 2021) to one head, in place.
 * @param x f32[headDim], of which the first 2 * pairs values are rotated   @param table what ropeTable wrote
 * @param interleaved 1: pairs are (2j, 2j + 1), 0: (j, j + pairs)
 */
export function ropeHead(x: usize, table: usize, pairs: i32, interleaved: i32): void {
  const step: usize = interleaved ? 8 : 4;
  const other: usize = interleaved ? 4 : (<usize>pairs) << 2;
  const sine = (<usize>pairs) << 2;
  for (let j = 0; j < pairs; j++) {
    const a = load<f32>(x);
    const b = load<f32>(x + other);
    const c = load<f32>(table);
    const s = load<f32>(table + sine);
    store<f32>(x, a * c - b * s);
    store<f32>(x + other, a * s + b * c);
    x += step;
    table += 4;
  }
}
