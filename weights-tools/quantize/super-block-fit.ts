/**
 * The search for the K types and IQ4_XS: a block of 256 values has one float16 scale d (and dmin), and each sub-block has
 * small integers that multiply them. Value = d * scaleCode * level - dmin * minimumCode.
 * @module
 */
import { f16Values } from "../../src/formats/float16.ts";
import type { LevelGrid } from "../level-grids.ts";
import { BlockFit, initialSpans } from "./block-fit.ts";
import { f16AwayFromZero, finiteF16 } from "./float-bits.ts";

/** The properties in which the types differ. */
export interface SuperBlockShape {
  readonly grid: LevelGrid;
  /** Values per sub-block: 16 or 32. */
  readonly subBlock: number;
  /** Range of the integers that multiply d. */
  readonly scaleCodes: readonly [lowest: number, highest: number];
  /** Largest integer that multiplies dmin; 0 if the type has no minimum. */
  readonly minimumCode: number;
  /**
   * Without an importance, the weight of a value's error is rms^emphasis + |value|^emphasis (see `weigh` in
   * searches.ts).
   */
  readonly emphasis: 1 | 2;
}

const length = 256;

/** Fits one block at a time; the results stay until the next one. */
export class SuperBlockFit {
  readonly #shape: SuperBlockShape;
  readonly #spans: Float64Array;
  /** The values and weights, which must be filled in before `run`. */
  readonly block: BlockFit;
  /** float16 bits of d and dmin. */
  d = 0;
  dmin = 0;
  readonly scaleCodes: Int32Array;
  readonly minimumCodes: Int32Array;
  readonly codes: Uint8Array = new Uint8Array(length);

  // The public fields hold the best result so far, and these hold the result of the current round.
  readonly #scales: Float64Array;
  readonly #minima: Float64Array;
  readonly #trialScaleCodes: Int32Array;
  readonly #trialMinimumCodes: Int32Array;
  /** Coefficients of the normal equations of d and dmin. */
  readonly #sums: Float64Array = new Float64Array(5);

  constructor(shape: SuperBlockShape) {
    const subBlocks = length / shape.subBlock;
    this.#shape = shape;
    this.#spans = initialSpans(shape.grid, spanCount);
    this.block = new BlockFit(shape.grid, length);
    this.scaleCodes = new Int32Array(subBlocks);
    this.minimumCodes = new Int32Array(subBlocks);
    this.#scales = new Float64Array(subBlocks);
    this.#minima = new Float64Array(subBlocks);
    this.#trialScaleCodes = new Int32Array(subBlocks);
    this.#trialMinimumCodes = new Int32Array(subBlocks);
  }

  /** Finds d, dmin, the integers of every sub-block and the code of every value. */
  run(): void {
    let [d, dmin] = this.#fitSubBlocks();
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) {
      // The first round rounds away from zero: small F16 numbers have coarse steps, and with a smaller d even the outermost
      // integer could not reach the peak.
      const round16 = round === 0 ? f16AwayFromZero : finiteF16;
      const scaleBits = round16(d);
      const minimumBits = round16(dmin);
      const error = this.#chooseIntegers(f16Values()[scaleBits]!, f16Values()[minimumBits]!, round === 0);
      if (!(error < best)) break;
      best = error;
      this.d = scaleBits;
      this.dmin = minimumBits;
      this.scaleCodes.set(this.#trialScaleCodes);
      this.minimumCodes.set(this.#trialMinimumCodes);
      [d, dmin] = this.#refit(d, dmin);
    }
    this.#encode();
  }

  /** Fits every sub-block on its own. The d and dmin returned give the largest scale and minimum the outermost integers. */
  #fitSubBlocks(): [d: number, dmin: number] {
    const { subBlock, scaleCodes, minimumCode } = this.#shape;
    let peak = 0;
    let largestMinimum = 0;
    for (let i = 0; i < this.#scales.length; i++) {
      this.block.select(i * subBlock, subBlock);
      if (minimumCode > 0) this.block.fitScaleAndMinimum(this.#spans, false);
      else this.block.fitScale(this.#spans);
      const { scale, minimum } = this.block;
      this.#scales[i] = scale;
      this.#minima[i] = minimum;
      if (Math.abs(scale) > Math.abs(peak)) peak = scale;
      if (minimum > largestMinimum) largestMinimum = minimum;
    }
    const [lowest, highest] = scaleCodes;
    return [peak / (lowest < 0 ? lowest : highest), minimumCode > 0 ? largestMinimum / minimumCode : 0];
  }

  /** Chooses the best integers for every sub-block, near those of its own fit or of the last round. Returns the total error. */
  #chooseIntegers(d: number, dmin: number, first: boolean): number {
    const { subBlock, scaleCodes, minimumCode } = this.#shape;
    const [lowest, highest] = scaleCodes;
    const block = this.block;
    const sums = this.#sums.fill(0);
    let total = 0;
    for (let i = 0; i < this.#scales.length; i++) {
      block.select(i * subBlock, subBlock);
      const scaleNear = first ? nearestCode(this.#scales[i]!, d, lowest, highest) : this.#trialScaleCodes[i]!;
      const minimumNear = first ? nearestCode(this.#minima[i]!, dmin, 0, minimumCode) : this.#trialMinimumCodes[i]!;
      let best = Number.POSITIVE_INFINITY;
      let scaleCode = 0;
      let minimumCodeHere = 0;
      let levels = 0;
      let levelSquares = 0;
      let levelValues = 0;
      for (let s = Math.max(lowest, scaleNear - 1); s <= Math.min(highest, scaleNear + 1); s++) {
        for (let m = Math.max(0, minimumNear - 1); m <= Math.min(minimumCode, minimumNear + 1); m++) {
          block.project(d * s, dmin * m);
          const error = block.errorWith(d * s, dmin * m);
          if (!(error < best)) continue;
          best = error;
          scaleCode = s;
          minimumCodeHere = m;
          levels = block.sumLevels;
          levelSquares = block.sumLevelSquares;
          levelValues = block.sumLevelValues;
        }
      }
      this.#trialScaleCodes[i] = scaleCode;
      this.#trialMinimumCodes[i] = minimumCodeHere;
      total += best;
      sums[0]! += scaleCode * scaleCode * levelSquares;
      sums[1]! += scaleCode * minimumCodeHere * levels;
      sums[2]! += minimumCodeHere * minimumCodeHere * block.sumWeights;
      sums[3]! += scaleCode * levelValues;
      sums[4]! += minimumCodeHere * block.sumValues;
    }
    return total;
  }

  /**
   * Computes d and dmin by least squares for the current integers and levels. A value that these do not determine is
   * kept.
   */
  #refit(d: number, dmin: number): [d: number, dmin: number] {
    const [ss, sm, mm, sv, mv] = this.#sums as unknown as [number, number, number, number, number];
    const determinant = ss * mm - sm * sm;
    if (determinant > 0) return [(mm * sv - sm * mv) / determinant, (sm * sv - ss * mv) / determinant];
    return ss > 0 ? [sv / ss, dmin] : [d, dmin];
  }

  #encode(): void {
    const d = f16Values()[this.d]!;
    const dmin = f16Values()[this.dmin]!;
    for (let i = 0; i < this.scaleCodes.length; i++) {
      this.block.select(i * this.#shape.subBlock, this.#shape.subBlock);
      this.block.encode(d * this.scaleCodes[i]!, dmin * this.minimumCodes[i]!, this.codes);
    }
  }
}

/** Initial spans of the search in a sub-block. Twice as many gain less than 1 % and take a quarter more time. */
const spanCount = 8;
/** Rounds of choosing integers and refitting d. */
const rounds = 3;

function nearestCode(value: number, unit: number, lowest: number, highest: number): number {
  if (unit === 0) return 0;
  return Math.max(lowest, Math.min(highest, Math.round(value / unit)));
}
