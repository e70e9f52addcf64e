/**
 * The levels that the codes of a block type stand for, before the scale: in every type of GGUF they are small integers.
 * @module
 */

/** Between two integers the nearest level changes at a multiple of 0.5, so 512 steps of 0.5 find it without a search. */
const halfSteps = 512;

/** Codes 0, 1, ... of a type and their levels, which lie in -127 .. 127. */
export class LevelGrid {
  /** Level by code. */
  readonly levels: Int8Array;
  /** The level nearest to step / 2 - 128, by step. In the middle between two it is the upper one. */
  readonly nearestLevel: Int8Array = new Int8Array(halfSteps);
  /** The code of that level. */
  readonly nearestCode: Uint8Array = new Uint8Array(halfSteps);
  readonly lowest: number;
  readonly highest: number;

  constructor(levels: readonly number[]) {
    this.levels = Int8Array.from(levels);
    const ascending = levels
      .map((level, code) => ({ level, code }))
      .filter(({ level, code }) => levels.indexOf(level) === code) // MXFP4 has a second zero
      .sort((a, b) => a.level - b.level);
    this.lowest = ascending[0]!.level;
    this.highest = ascending.at(-1)!.level;
    let place = 0;
    for (let step = 0; step < halfSteps; step++) {
      const value = step / 2 - 128;
      while (place + 1 < ascending.length && value >= (ascending[place]!.level + ascending[place + 1]!.level) / 2)
        place++;
      this.nearestLevel[step] = ascending[place]!.level;
      this.nearestCode[step] = ascending[place]!.code;
    }
  }
}

/** The integers from `from` to `to`. */
const steps = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, code) => from + code);

export const unsigned2Bit: LevelGrid = new LevelGrid(steps(0, 3));
export const unsigned4Bit: LevelGrid = new LevelGrid(steps(0, 15));
export const unsigned5Bit: LevelGrid = new LevelGrid(steps(0, 31));
export const signed3Bit: LevelGrid = new LevelGrid(steps(-4, 3));
export const signed4Bit: LevelGrid = new LevelGrid(steps(-8, 7));
export const signed5Bit: LevelGrid = new LevelGrid(steps(-16, 15));
export const signed6Bit: LevelGrid = new LevelGrid(steps(-32, 31));
/** Q8_0 does not use -128. Code 0 is level -127. */
export const signed8Bit: LevelGrid = new LevelGrid(steps(-127, 127));

/** IQ4_NL and IQ4_XS: the levels are closer together near zero, where most weights are (ggml-common.h, `kvalues_iq4nl`). */
export const nonLinear4Bit: LevelGrid = new LevelGrid([
  -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
]);

/** MXFP4: twice the values of E2M1, sign in the highest bit (OCP Microscaling 1.0, 5.3.3; ggml doubles them too). */
export const e2m1Doubled: LevelGrid = new LevelGrid([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]);

/**
 * Half of MXFP4's scale 2^(exponent - 127), because the levels are doubled. It is a float32 for all of 0 .. 255: ggml,
 * too, reads 255 as a number, where the standard says NaN.
 */
export function e8m0Halved(exponent: number): number {
  return 2 ** (exponent - 128);
}
