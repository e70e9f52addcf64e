/**
 * Complex numbers with many digits, on decimal.js. Functions take their principal values, as in sympy.
 * @module
 */
import { Decimal } from "decimal.js";

/** The value does not exist: a division by zero, or the logarithm of zero. */
export class UndefinedValue extends Error {}
/** The value exists, and is not computed here. */
export class UncomputedValue extends Error {}

export interface Complex {
  readonly re: Decimal;
  readonly im: Decimal;
}

type Real = Decimal.Constructor;

/** Whole numbers up to this size are taken to powers by multiplication. */
const MOST_PRODUCTS = 10_000;

/** Arithmetic with a number of significant digits. */
export class ComplexField {
  readonly Real: Real;
  /** What is smaller than this, in relation to a whole, is an error of rounding. */
  readonly #rounding: Decimal;

  constructor(digits: number) {
    this.Real = Decimal.clone({ precision: digits, defaults: true, maxE: 1e8, minE: -1e8 });
    this.#rounding = new this.Real(10).pow(12 - digits);
  }

  of(re: Decimal.Value, im: Decimal.Value = 0): Complex {
    const value = { re: new this.Real(re), im: new this.Real(im) };
    if (!value.re.isFinite() || !value.im.isFinite()) throw new UncomputedValue();
    return value;
  }

  add(a: Complex, b: Complex): Complex {
    return this.of(a.re.add(b.re), a.im.add(b.im));
  }

  multiply(a: Complex, b: Complex): Complex {
    if (a.im.isZero() && b.im.isZero()) return this.of(a.re.mul(b.re));
    return this.of(a.re.mul(b.re).sub(a.im.mul(b.im)), a.re.mul(b.im).add(a.im.mul(b.re)));
  }

  scale(a: Complex, by: Decimal.Value): Complex {
    return this.of(a.re.mul(by), a.im.mul(by));
  }

  inverse(a: Complex): Complex {
    if (a.re.isZero() && a.im.isZero()) throw new UndefinedValue();
    if (a.im.isZero()) return this.of(new this.Real(1).div(a.re));
    const square = a.re.mul(a.re).add(a.im.mul(a.im));
    return this.of(a.re.div(square), a.im.neg().div(square));
  }

  abs(a: Complex): Complex {
    return this.of(this.Real.hypot(a.re, a.im));
  }

  conjugate(a: Complex): Complex {
    return this.of(a.re, a.im.neg());
  }

  exp(a: Complex): Complex {
    const size = a.re.exp();
    return a.im.isZero() ? this.of(size) : this.of(size.mul(a.im.cos()), size.mul(a.im.sin()));
  }

  log(a: Complex): Complex {
    if (a.re.isZero() && a.im.isZero()) throw new UndefinedValue();
    const { re, im } = this.#onAxis(a);
    if (im.isZero() && re.isPositive()) return this.of(re.ln());
    return this.of(this.Real.hypot(re, im).ln(), this.Real.atan2(im, re));
  }

  power(base: Complex, exponent: Complex): Complex {
    const whole = this.wholeOf(exponent);
    if (base.re.isZero() && base.im.isZero()) {
      if (whole?.isZero()) return this.of(1);
      if (exponent.im.isZero() && exponent.re.isPositive()) return base;
      throw new UndefinedValue();
    }
    if (base.im.isZero() && exponent.im.isZero()) {
      if (whole) return this.of(base.re.pow(whole));
      if (base.re.isPositive()) return this.of(base.re.pow(exponent.re));
    }
    if (whole?.abs().lte(MOST_PRODUCTS)) return this.#wholePower(base, whole.toNumber());
    return this.exp(this.multiply(exponent, this.log(base)));
  }

  #wholePower(base: Complex, exponent: number): Complex {
    if (exponent < 0) return this.inverse(this.#wholePower(base, -exponent));
    let result = this.of(1);
    for (let factor = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) result = this.multiply(result, factor);
      if (rest > 1) factor = this.multiply(factor, factor);
    }
    return result;
  }

  sqrt(a: Complex): Complex {
    return this.power(a, this.of("0.5"));
  }

  /** The whole number that a value is, but for errors of rounding. */
  wholeOf({ re, im }: Complex): Decimal | undefined {
    const whole = re.round();
    const error = this.#rounding.mul(this.Real.max(1, whole.abs()));
    return re.sub(whole).abs().lte(error) && im.abs().lte(error) ? whole : undefined;
  }

  /** Rounds both parts down, or up, to whole numbers. */
  round(a: Complex, up: boolean): Complex {
    const one = (part: Decimal): Decimal => this.wholeOf(this.of(part)) ?? (up ? part.ceil() : part.floor());
    return this.of(one(a.re), one(a.im));
  }

  /** Without the part that is an error of rounding, since functions jump at the axes. */
  #onAxis({ re, im }: Complex): Complex {
    const isSmall = (part: Decimal, whole: Decimal): boolean => part.abs().lte(whole.abs().mul(this.#rounding));
    return this.of(isSmall(re, im) ? 0 : re, isSmall(im, re) ? 0 : im);
  }
}
