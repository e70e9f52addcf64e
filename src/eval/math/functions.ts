/**
 * The functions of expressions on complex numbers. Inverse functions are written with logarithms (NIST Digital Library of
 * Mathematical Functions, 4.23 and 4.37).
 * @module
 */
import { type Complex, type ComplexField, UncomputedValue, UndefinedValue } from "./complex.ts";
import type { Known } from "./expression.ts";

const MOST_FACTORS = 5000;

/** @throws UndefinedValue, UncomputedValue */
export function valueOfCall(field: ComplexField, name: Known, args: readonly Complex[]): Complex {
  const [z, second] = args as readonly [Complex, Complex | undefined];
  const over = (a: Complex, b: Complex): Complex => field.multiply(a, field.inverse(b));
  switch (name) {
    case "exp":
      return field.exp(z);
    case "log":
      return second ? over(field.log(z), field.log(second)) : field.log(z);
    case "abs":
      return field.abs(z);
    case "conjugate":
      return field.conjugate(z);
    case "floor":
      return field.round(z, false);
    case "ceiling":
      return field.round(z, true);
    case "factorial":
      return factorial(field, z);
    case "binomial":
      return binomial(field, z, second!);
    default:
      return name.startsWith("a") ? inverseFunction(field, name.slice(1), z) : periodicFunction(field, name, z);
  }
}

function factorial(field: ComplexField, z: Complex): Complex {
  const n = field.wholeOf(z)?.toNumber();
  if (n === undefined || n > MOST_FACTORS) throw new UncomputedValue();
  if (n < 0) throw new UndefinedValue();
  let result = field.of(1);
  for (let i = 2; i <= n; i++) result = field.scale(result, i);
  return result;
}

/** The product of (n - i) / (i + 1) for i below k. */
function binomial(field: ComplexField, n: Complex, k: Complex): Complex {
  const count = field.wholeOf(k)?.toNumber();
  if (count === undefined || count > MOST_FACTORS) throw new UncomputedValue();
  if (count < 0) return field.of(0);
  let result = field.of(1);
  for (let i = 0; i < count; i++)
    result = field.multiply(result, field.scale(field.add(n, field.of(-i)), new field.Real(1).div(i + 1)));
  return result;
}

function periodicFunction(field: ComplexField, name: string, z: Complex): Complex {
  // sin(x + iy) = sin x cosh y + i cos x sinh y, and the like.
  const { re: x, im: y } = z;
  const sin = (): Complex => field.of(x.sin().mul(y.cosh()), x.cos().mul(y.sinh()));
  const cos = (): Complex => field.of(x.cos().mul(y.cosh()), x.sin().mul(y.sinh()).neg());
  const sinh = (): Complex => field.of(x.sinh().mul(y.cos()), x.cosh().mul(y.sin()));
  const cosh = (): Complex => field.of(x.cosh().mul(y.cos()), x.sinh().mul(y.sin()));
  const over = (a: Complex, b: Complex): Complex => field.multiply(a, field.inverse(b));
  const values: Readonly<Record<string, () => Complex>> = {
    sin,
    cos,
    tan: () => over(sin(), cos()),
    cot: () => over(cos(), sin()),
    sec: () => field.inverse(cos()),
    csc: () => field.inverse(sin()),
    sinh,
    cosh,
    tanh: () => over(sinh(), cosh()),
  };
  return values[name]!();
}

function inverseFunction(field: ComplexField, name: string, z: Complex): Complex {
  const one = field.of(1);
  const i = field.of(0, 1);
  const minus = (a: Complex): Complex => field.scale(a, -1);
  const square = field.multiply(z, z);
  const asin = (a: Complex): Complex => {
    const root = field.sqrt(field.add(one, minus(field.multiply(a, a))));
    return minus(field.multiply(i, field.log(field.add(field.multiply(i, a), root))));
  };
  const atan = (a: Complex): Complex => {
    const iz = field.multiply(i, a);
    const logs = field.add(field.log(field.add(one, minus(iz))), minus(field.log(field.add(one, iz))));
    return field.scale(field.multiply(i, logs), "0.5");
  };
  const quarter = field.scale(asin(one), 1);
  const acos = (a: Complex): Complex => field.add(quarter, minus(asin(a)));
  const values: Readonly<Record<string, () => Complex>> = {
    sin: () => asin(z),
    cos: () => acos(z),
    tan: () => atan(z),
    csc: () => asin(field.inverse(z)),
    sec: () => acos(field.inverse(z)),
    cot: () => (z.re.isZero() && z.im.isZero() ? quarter : atan(field.inverse(z))),
    sinh: () => field.log(field.add(z, field.sqrt(field.add(square, one)))),
    cosh: () => {
      const roots = field.multiply(field.sqrt(field.add(z, minus(one))), field.sqrt(field.add(z, one)));
      return field.log(field.add(z, roots));
    },
    tanh: () => {
      const logs = field.add(field.log(field.add(one, z)), minus(field.log(field.add(one, minus(z)))));
      return field.scale(logs, "0.5");
    },
  };
  return values[name]!();
}
