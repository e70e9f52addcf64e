/**
 * Sets of token ids as bits: id `i` is bit `i % 32` of element `i / 32`. They say which tokens may come next.
 * @module
 */
export type TokenMask = Uint32Array;

/** @returns a mask with no token in it */
export function emptyMask(vocabSize: number): TokenMask {
  return new Uint32Array((vocabSize + 31) >>> 5);
}

/** @returns a mask with every token in it */
export function fullMask(vocabSize: number): TokenMask {
  const mask = emptyMask(vocabSize).fill(0xffffffff);
  if (vocabSize % 32 !== 0) mask[mask.length - 1] = (1 << (vocabSize % 32)) - 1;
  return mask;
}

export function addToken(mask: TokenMask, id: number): void {
  mask[id >>> 5]! |= 1 << (id & 31);
}

export function removeToken(mask: TokenMask, id: number): void {
  mask[id >>> 5]! &= ~(1 << (id & 31));
}

export function hasToken(mask: TokenMask, id: number): boolean {
  return ((mask[id >>> 5]! >>> (id & 31)) & 1) === 1;
}

/** Removes the tokens from `mask` that are not in `other`. */
export function intersect(mask: TokenMask, other: TokenMask): void {
  for (let i = 0; i < mask.length; i++) mask[i]! &= other[i]!;
}

/** The tokens of a mask in order, if they are at most `most`; otherwise undefined. */
export function fewTokens(mask: TokenMask, most: number): number[] | undefined {
  const ids: number[] = [];
  for (let i = 0; i < mask.length; i++) {
    for (let bits = mask[i]!; bits !== 0; bits &= bits - 1) {
      if (ids.length === most) return undefined;
      ids.push(i * 32 + 31 - Math.clz32(bits & -bits));
    }
  }
  return ids;
}
