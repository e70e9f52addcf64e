import { setF32 } from "./scalar";

/** The operations of expF32x4 on one number. */
export function expF32Ref(x: f32): f32 {
  if (isNaN<f32>(x)) return x;
  if (x < -87.3365447505531) return 0;
  const y: f32 = x < 88.3762626647949 ? x : 88.3762626647949;
  const n = nearest<f32>(y * <f32>1.44269504088896341);
  const r: f32 = y + n * <f32>-0.693145751953125 + n * <f32>-1.42860682030941723e-6;
  let p: f32 = <f32>0.0013863419 * r + <f32>0.008367433;
  p = p * r + <f32>0.041667242;
  p = p * r + <f32>0.16666535;
  p = p * r + <f32>0.5;
  p = p * r * r + (r + 1);
  return reinterpret<f32>(reinterpret<i32>(p) + ((<i32>n) << 23));
}

/** The operations of tanhF32x4 on one number. */
export function tanhF32Ref(x: f32): f32 {
  if (isNaN<f32>(x)) return x;
  const size = abs<f32>(x);
  if (size < 0.625) {
    const z = x * x;
    let p: f32 = <f32>-0.00570498686283826828 * z + <f32>0.0206390880048274994;
    p = p * z + <f32>-0.0537397153675556183;
    p = p * z + <f32>0.133314415812492371;
    p = p * z + <f32>-0.333332806825637817;
    return copysign<f32>(size + size * (p * z), x);
  }
  return copysign<f32>(1 - <f32>2 / (expF32Ref(size + size) + 1), x);
}

/** The operations of softplusF32x4 on one number. */
export function softplusF32Ref(x: f32): f32 {
  if (isNaN<f32>(x)) return x;
  const u = expF32Ref(-abs<f32>(x));
  const s: f32 = u / (2 + u);
  const z: f32 = s * s;
  let p: f32 = 0;
  for (let k = 13; k >= 3; k -= 2) p = p * z + <f32>(2.0 / <f64>k);
  const log: f32 = s * (p * z + 2);
  return (x > 0 ? x : 0) + log;
}

function factorial(n: i32): f64 {
  let product: f64 = 1;
  for (let i = 2; i <= n; i++) product *= <f64>i;
  return product;
}

/** 1/first! - z/(first - 2)! + ... in Horner's order from the highest term down to 1/last!, signs alternating. */
function series(z: f64, first: i32, last: i32): f64 {
  let sign: f64 = 1;
  let p: f64 = sign / factorial(first);
  for (let k = first - 2; k >= last; k -= 2) {
    sign = -sign;
    p = p * z + sign / factorial(k);
  }
  return p;
}

export function storeCosSinRef(x: f64, cosAt: usize, sinAt: usize): void {
  const n = nearest<f64>(x * 0.63661977236758134308);
  let r = x - n * 1.57079632673412561417;
  r -= n * 6.0771005063039659766e-11;
  r -= n * 2.02226624879595063154e-21;
  const z = r * r;
  const s = r + r * z * series(z, 17, 3);
  const k = 1 - 0.5 * z + z * z * series(z, 16, 4);
  const quadrant = <i32>n % 4;
  let cosine = k;
  let sine = s;
  for (let turn = 0; turn < quadrant; turn++) {
    const previous = cosine; // a quarter turn: (cos, sin) -> (-sin, cos)
    cosine = -sine;
    sine = previous;
  }
  setF32(cosAt, 0, <f32>cosine);
  setF32(sinAt, 0, <f32>sine);
}

/** The operations of logF64, with x halved until it is below sqrt(2). */
export function logF64Ref(x: f64): f64 {
  let m = x;
  let k: f64 = 0;
  while (m > 1.4142135623730951) {
    m *= 0.5;
    k += 1;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let p: f64 = 1.0 / 21.0;
  for (let n: f64 = 19; n >= 3; n -= 2) p = p * z + 1 / n;
  return k * 0.6931471803691238 + (2 * s + (2 * s * z * p + k * 1.9082149292705877e-10));
}
