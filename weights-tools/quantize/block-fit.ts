/**
 * The one search that all quantisers share: which scale (and minimum) brings the levels of a grid nearest to some
 * values. Value = scale * level - minimum; the error is the weighted sum of squares.
 *
 * For given levels the best scale and minimum follow from sums (weighted least squares); for a given scale and minimum
 * the best levels are the nearest ones. `fitScale` and `fitScaleAndMinimum` alternate between the two (Lloyd, "Least
 * squares quantization in PCM", 1982), starting from the best of several initial scales.
 * @module
 */
import type { LevelGrid } from "../level-grids.ts";

/** The values of a block and the weights of their errors. All arithmetic is float64 and the same on every engine. */
export class BlockFit {
  readonly grid: LevelGrid;
  /** The values to store. */
  readonly values: Float64Array;
  /** The weight of each value's squared error; not negative. */
  readonly weights: Float64Array;
  /** Value times weight. */
  readonly #products: Float64Array;

  // Facts about the sub-block that `select` has chosen.
  #from = 0;
  #to = 0;
  sumWeights = 0;
  sumValues = 0;
  lowest = 0;
  highest = 0;

  // Weighted sums over the levels that `project` has found.
  sumLevels = 0;
  sumLevelSquares = 0;
  sumLevelValues = 0;

  // The result of the last fit.
  scale = 0;
  minimum = 0;

  constructor(grid: LevelGrid, length: number) {
    this.grid = grid;
    this.values = new Float64Array(length);
    this.weights = new Float64Array(length);
    this.#products = new Float64Array(length);
  }

  /** Chooses the sub-block of values from .. from + count - 1, which the other methods work on. */
  select(from: number, count: number): void {
    const { values, weights } = this;
    let sumWeights = 0;
    let sumValues = 0;
    let lowest = values[from]!;
    let highest = lowest;
    for (let i = from; i < from + count; i++) {
      const value = values[i]!;
      const product = weights[i]! * value;
      this.#products[i] = product;
      sumWeights += weights[i]!;
      sumValues += product;
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    }
    this.#from = from;
    this.#to = from + count;
    this.sumWeights = sumWeights;
    this.sumValues = sumValues;
    this.lowest = lowest;
    this.highest = highest;
  }

  /** Finds the level nearest to each value under a scale and minimum, and adds up the sums that the least squares need. */
  project(scale: number, minimum: number): void {
    const nearestLevel = this.grid.nearestLevel;
    const { values, weights } = this;
    const products = this.#products;
    const inverse = inverseOf(scale);
    const halves = 2 * inverse;
    const middle = 2 * minimum * inverse + 256;
    const to = this.#to;
    let sumLevels = 0;
    let sumLevelSquares = 0;
    let sumLevelValues = 0;
    for (let i = this.#from; i < to; i++) {
      const step = values[i]! * halves + middle;
      const level = nearestLevel[step < 511 ? (step > 0 ? step | 0 : 0) : 511]!;
      const weighted = weights[i]! * level;
      sumLevels += weighted;
      sumLevelSquares += weighted * level;
      sumLevelValues += products[i]! * level;
    }
    this.sumLevels = sumLevels;
    this.sumLevelSquares = sumLevelSquares;
    this.sumLevelValues = sumLevelValues;
  }

  /** Weighted squared error of the levels that `project` has found under a scale and minimum, less the error of storing zeros. */
  errorWith(scale: number, minimum: number): number {
    return (
      scale * (scale * this.sumLevelSquares - 2 * this.sumLevelValues) +
      minimum * (minimum * this.sumWeights + 2 * this.sumValues - 2 * scale * this.sumLevels)
    );
  }

  /** The code nearest to each value under a scale and minimum. */
  encode(scale: number, minimum: number, codes: Uint8Array): void {
    const nearestCode = this.grid.nearestCode;
    const inverse = inverseOf(scale);
    const halves = 2 * inverse;
    const middle = 2 * minimum * inverse + 256;
    for (let i = this.#from; i < this.#to; i++) {
      const step = this.values[i]! * halves + middle;
      codes[i] = nearestCode[step < 511 ? (step > 0 ? step | 0 : 0) : 511]!;
    }
  }

  /**
   * Finds the best scale of either sign without a minimum and stores it in `scale`.
   * @param spans see `initialSpans`
   * @returns its error as `errorWith` counts it
   */
  fitScale(spans: Float64Array): number {
    const { lowest, highest, grid } = this;
    const peak = highest > -lowest ? highest : lowest;
    let best = 0;
    this.scale = 0;
    this.minimum = 0;
    if (peak === 0) return 0;
    for (let side = 0; side < 2; side++) {
      // The peak goes to the lowest or to the highest level: most grids are not symmetric, so the sign matters.
      const step = peak / (side === 0 ? grid.lowest : grid.highest);
      for (let i = 0; i < spans.length; i++) best = this.#tryScale(step / spans[i]!, best);
    }
    for (let round = 0; round < refinements; round++) {
      const before = best;
      best = this.#tryScale(this.scale, best);
      if (!(best < before)) break;
    }
    return best;
  }

  /**
   * Finds the best scale and minimum and stores them in `scale` and `minimum`.
   * @param spans see `initialSpans`
   * @param signed whether the minimum may be negative, too
   * @returns its error as `errorWith` counts it
   */
  fitScaleAndMinimum(spans: Float64Array, signed: boolean): number {
    const highest = this.grid.highest;
    const bottom = signed ? this.lowest : Math.min(this.lowest, 0);
    const range = this.highest - bottom;
    this.scale = 0;
    this.minimum = -bottom;
    let best = bottom * (bottom * this.sumWeights - 2 * this.sumValues);
    if (!(range > 0)) return best;
    for (let i = 0; i < spans.length; i++) {
      best = this.#tryScaleAndMinimum(range / (highest * spans[i]!), -bottom, best, signed);
    }
    for (let round = 0; round < refinements; round++) {
      const before = best;
      best = this.#tryScaleAndMinimum(this.scale, this.minimum, best, signed);
      if (!(best < before)) break;
    }
    return best;
  }

  #tryScale(scale: number, best: number): number {
    this.project(scale, 0);
    if (!(this.sumLevelSquares > 0)) return best;
    const fitted = this.sumLevelValues / this.sumLevelSquares;
    const error = -fitted * this.sumLevelValues;
    if (!(error < best)) return best;
    this.scale = fitted;
    return error;
  }

  #tryScaleAndMinimum(scale: number, minimum: number, best: number, signed: boolean): number {
    this.project(scale, minimum);
    const { sumWeights, sumValues, sumLevels, sumLevelSquares, sumLevelValues } = this;
    if (!(sumLevelSquares > 0)) return best;
    const determinant = sumWeights * sumLevelSquares - sumLevels * sumLevels;
    let fitted = (sumWeights * sumLevelValues - sumValues * sumLevels) / determinant;
    let fittedMinimum = (sumLevels * sumLevelValues - sumLevelSquares * sumValues) / determinant;
    // If all values have one level, the minimum is undetermined; types with positive minima take 0 for a negative one.
    const undetermined = !(determinant > 1e-9 * sumWeights * sumLevelSquares);
    if (undetermined || (!signed && fittedMinimum < 0)) {
      fittedMinimum = undetermined ? minimum : 0;
      fitted = (sumLevelValues + fittedMinimum * sumLevels) / sumLevelSquares;
    }
    if (!(fitted > 0)) return best;
    const error = this.errorWith(fitted, fittedMinimum);
    if (!(error < best)) return best;
    this.scale = fitted;
    this.minimum = fittedMinimum;
    return error;
  }
}

/**
 * The starting points of the search: the share of the grid's steps that the range of the values spans (without a
 * minimum, the share of the steps on one side that their peak spans). A share below 1 gives the inner values finer
 * steps at the cost of the outermost ones.
 */
export function initialSpans({ levels, lowest }: LevelGrid, count: number): Float64Array {
  const [steps, fewest] = lowest < 0 ? [levels.length / 2, -1.25] : [levels.length - 1, -2.25];
  const most = 0.75;
  return Float64Array.from({ length: count }, (_, i) => 1 + (fewest + ((most - fewest) * i) / (count - 1)) / steps);
}

/** Rounds of refitting after the search; nearly all of the gain comes from the first. */
const refinements = 3;

/** 0 for a scale of 0 and for one whose reciprocal is infinite. */
function inverseOf(scale: number): number {
  const inverse = 1 / scale;
  return Number.isFinite(inverse) ? inverse : 0;
}
