/**
 * How codes share bytes in the blocks of GGUF.
 * @module
 */

/** Low four bits: codes i and i + distance share a byte, for runs of 2 * distance codes. */
export function packNibbles(codes: Uint8Array, distance: number, blocks: DataView, at: number): void {
  for (let run = 0; run < codes.length; run += 2 * distance) {
    for (let i = run; i < run + distance; i++) {
      blocks.setUint8(at + (run >>> 1) + i - run, (codes[i]! & 15) | ((codes[i + distance]! & 15) << 4));
    }
  }
}

/** Two bits from `shift` on: codes l, l + 32, l + 64, l + 96 of a half of 128 share a byte. */
export function packBitPairs(codes: Uint8Array, shift: number, blocks: DataView, at: number): void {
  for (let half = 0; half < 2; half++) {
    for (let l = 0; l < 32; l++) {
      let byte = 0;
      for (let part = 0; part < 4; part++) byte |= ((codes[half * 128 + part * 32 + l]! >>> shift) & 3) << (2 * part);
      blocks.setUint8(at + half * 32 + l, byte);
    }
  }
}

/** One bit of each of 256 codes: code i goes to bit i / 32 of byte i % 32. */
export function packBits(codes: Uint8Array, shift: number, blocks: DataView, at: number): void {
  for (let l = 0; l < 32; l++) {
    let byte = 0;
    for (let part = 0; part < 8; part++) byte |= ((codes[part * 32 + l]! >>> shift) & 1) << part;
    blocks.setUint8(at + l, byte);
  }
}
