/**
 * How codes share bytes in the blocks of GGUF.
 * @module
 */

/** Packs the low four bits of each code: in every run of 2 * distance codes, codes i and i + distance share a byte. */
export function packNibbles(codes: Uint8Array, distance: number, bytes: DataView, at: number): void {
  for (let run = 0; run < codes.length; run += 2 * distance) {
    for (let i = run; i < run + distance; i++) {
      bytes.setUint8(at + (run >>> 1) + i - run, (codes[i]! & 15) | ((codes[i + distance]! & 15) << 4));
    }
  }
}

/** Packs two bits of each of 256 codes, from bit `shift` on: of each 128 codes, l, l + 32, l + 64 and l + 96 share a byte. */
export function packBitPairs(codes: Uint8Array, shift: number, bytes: DataView, at: number): void {
  for (let run = 0; run < 2; run++) {
    for (let l = 0; l < 32; l++) {
      let byte = 0;
      for (let part = 0; part < 4; part++) byte |= ((codes[run * 128 + part * 32 + l]! >>> shift) & 3) << (2 * part);
      bytes.setUint8(at + run * 32 + l, byte);
    }
  }
}

/** Packs bit `shift` of each of 256 codes: code i goes to bit i / 32 of byte i % 32. */
export function packBits(codes: Uint8Array, shift: number, bytes: DataView, at: number): void {
  for (let l = 0; l < 32; l++) {
    let byte = 0;
    for (let part = 0; part < 8; part++) byte |= ((codes[part * 32 + l]! >>> shift) & 1) << part;
    bytes.setUint8(at + l, byte);
  }
}
