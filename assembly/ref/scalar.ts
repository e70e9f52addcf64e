// Helpers that the references share: access by index, f16 by its definition, rounding to a code.

export function getF32(base: usize, i: i32): f32 {
  return load<f32>(base + ((<usize>i) << 2));
}

export function setF32(base: usize, i: i32, value: f32): void {
  store<f32>(base + ((<usize>i) << 2), value);
}

/**
 * IEEE 754 binary16: sign, 5 bits of exponent, 10 bits of fraction. Weights are never infinity or NaN, so these are not
 * decoded.
 */
export function f16(bits: u32): f32 {
  const exponent = <i32>((bits >> 10) & 31);
  const fraction = <f32>(bits & 1023);
  let value = exponent == 0 ? fraction / 1024 : 1 + fraction / 1024;
  for (let e = max(exponent, 1); e < 15; e++) value /= 2;
  for (let e = exponent; e > 15; e--) value *= 2;
  return bits & 0x8000 ? -value : value;
}

export function bf16(bits: u32): f32 {
  return reinterpret<f32>(bits << 16);
}

/** The nearest integer, ties to even; 0 for NaN. */
export function nearestCode(x: f32): i32 {
  return isNaN<f32>(x) ? 0 : <i32>nearest<f32>(x);
}
