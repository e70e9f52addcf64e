/**
 * Measures how far stored weights are from their source.
 * @module
 */

/** Errors relative to the root mean square of the source's values. They are 0 for a source of zeros. */
export interface RelativeError {
  /** Root mean square error. */
  readonly rmse: number;
  /** Largest absolute error. */
  readonly maxError: number;
}

/** Adds up errors in float64 over any number of chunks. */
export class ErrorMeter {
  #count = 0;
  #squares = 0;
  #errorSquares = 0;
  #largest = 0;

  add(source: Float32Array, stored: Float32Array): void {
    let squares = 0;
    let errorSquares = 0;
    let largest = this.#largest;
    for (let i = 0; i < source.length; i++) {
      const value = source[i]!;
      const error = Math.abs(stored[i]! - value);
      squares += value * value;
      errorSquares += error * error;
      if (error > largest) largest = error;
    }
    this.#count += source.length;
    this.#squares += squares;
    this.#errorSquares += errorSquares;
    this.#largest = largest;
  }

  result(): RelativeError {
    if (this.#squares === 0) return { rmse: 0, maxError: 0 };
    return {
      rmse: Math.sqrt(this.#errorSquares / this.#squares),
      maxError: this.#largest / Math.sqrt(this.#squares / this.#count),
    };
  }
}
