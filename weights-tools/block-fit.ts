/**
 * The one search that all quantisers share: which scale (and minimum) lets the levels of a grid come nearest to some
 * weights. Value = scale * level - minimum; the error is the weighted sum of squares.
 *
 * For given levels the best scale and minimum follow from sums (weighted least squares); for a given scale and minimum
 * the best levels are the nearest ones. `fitScale` and `fitScaleAndMinimum` alternate between the two (Lloyd, "Least
 * squares quantization in PCM", 1982) from the best of a row of starts.
 * @module
 */
import type { LevelGrid } from "./level-grids.ts";

/** Weights of a block and how much the error of each counts. All arithmetic is float64 and the same on every engine. */
export class BlockFit {
  readonly grid: LevelGrid;
  /** The weights to store. */
  readonly values: Float64Array;
  /** How much the squared error of each counts; not negative. */
  readonly weights: Float64Array;
  /** Their product. */
  readonly #products: Float64Array;

  // Of the sub-block that `select` named.
  #from = 0;
  #to = 0;
  sumWeights = 0;
  sumValues = 0;
  lowest = 0;
  highest = 0;

  // Of the levels that `project` found, all weighted.
  sumLevels = 0;
  sumLevelSquares = 0;
  sumLevelValues = 0;

  // What the last fit found.
  scale = 0;
  minimum = 0;

  constructor(grid: LevelGrid, length: number) {
    this.grid = grid;
    this.values = new Float64Array(length);
    this.weights = new Float64Array(length);
    this.#products = new Float64Array(length);
  }

  /** What follows concerns the values from .. from + count - 1. */
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

  /** Finds the level nearest to each value under a scale and minimum, and adds up what the least squares need. */
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

  /** Weighted squared error of the levels last found under a scale and minimum, less that of storing zeros. */
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

  /** Best scale of either sign without a minimum, into `scale`. Returns its error as `errorWith` counts it. */
  fitScale(starts: Float64Array): number {
    const { lowest, highest, grid } = this;
    const peak = highest > -lowest ? highest : lowest;
    let best = 0;
    this.scale = 0;
    this.minimum = 0;
    if (peak === 0) return 0;
    for (let side = 0; side < 2; side++) {
      // The peak on the lowest or on the highest level: the grids are not symmetric, and then the sign matters.
      const step = peak / (side === 0 ? grid.lowest : grid.highest);
      for (let i = 0; i < starts.length; i++) best = this.#tryScale(step / starts[i]!, best);
    }
    for (let round = 0; round < refinements; round++) {
      const before = best;
      best = this.#tryScale(this.scale, best);
      if (!(best < before)) break;
    }
    return best;
  }

  /** Best scale and minimum, into `scale` and `minimum`; `signed`: the minimum may be negative, too. */
  fitScaleAndMinimum(starts: Float64Array, signed: boolean): number {
    const highest = this.grid.highest;
    const bottom = signed ? this.lowest : Math.min(this.lowest, 0);
    const range = this.highest - bottom;
    this.scale = 0;
    this.minimum = -bottom;
    let best = bottom * (bottom * this.sumWeights - 2 * this.sumValues);
    if (!(range > 0)) return best;
    for (let i = 0; i < starts.length; i++) {
      best = this.#tryScaleAndMinimum(range / (highest * starts[i]!), -bottom, best, signed);
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
    // One level for all leaves the minimum open; a negative one is none where the type has only positive ones.
    const open = !(determinant > 1e-9 * sumWeights * sumLevelSquares);
    if (open || (!signed && fittedMinimum < 0)) {
      fittedMinimum = open ? minimum : 0;
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
 * Where to begin the search: how many steps of the grid the values' range (without a minimum: their peak) is to span, as
 * parts of all it has (has on one side). A few less cut the outermost values off in favour of the others.
 */
export function searchStarts({ levels, lowest }: LevelGrid, count: number): Float64Array {
  const [steps, fewest] = lowest < 0 ? [levels.length / 2, -1.25] : [levels.length - 1, -2.25];
  const most = 0.75;
  return Float64Array.from({ length: count }, (_, i) => 1 + (fewest + ((most - fewest) * i) / (count - 1)) / steps);
}

/** Rounds of refitting after the search: the gain is nearly all in the first. */
const refinements = 3;

/** 0 for a scale of 0 and for one whose reciprocal is infinite. */
function inverseOf(scale: number): number {
  const inverse = 1 / scale;
  return Number.isFinite(inverse) ? inverse : 0;
}
