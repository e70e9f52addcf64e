/** A small seeded generator, so that a failing case fails again: SplitMix32. */
export class Random {
  private state: number;

  constructor(seed: number | string) {
    this.state = 0;
    for (const c of String(seed)) this.state = Math.imul(this.state ^ c.charCodeAt(0), 0x01000193) | 0;
  }

  /** 0 <= n < 2^32. */
  uint32(): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  }

  /** low <= n <= high. */
  integer(low: number, high: number): number {
    return low + Math.floor((this.uint32() / 2 ** 32) * (high - low + 1));
  }

  /** Roughly normal, mean 0, deviation 1: the sum of 12 uniform numbers. */
  normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.uint32() / 2 ** 32;
    return sum;
  }

  normals(count: number, deviation = 1): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length: count }, () => this.normal() * deviation);
  }

  bytes(count: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: count }, () => this.uint32() & 255);
  }
}
