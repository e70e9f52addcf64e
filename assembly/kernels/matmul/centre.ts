// The fields of BlockMeta (activations.ts) that centre the codes of weights, as matmuls read them.
//
// Weights with a scale per 16 columns have two sub-blocks per block. `sub` chooses one: 0 for the low 16 columns, 4 for
// the high ones. It is the distance in bytes from the low field to the chosen one.
import { BlockMeta } from "../../activations";

/** The centre of the second digits that a sum begins with. */
export enum Centre {
  NONE = -1,
  LOW = 0,
  HIGH = 4,
  BLOCK = 8,
}

/** Where the centre of the first digits lies, 2 x i16. */
export function firstCentreAt(meta: usize, subBlocks: bool, sub: usize): usize {
  return meta + (subBlocks ? offsetof<BlockMeta>("lowCentreFirst") + sub : offsetof<BlockMeta>("centreFirst"));
}

/** The centre of the second digits, as pairs of i16. */
export function secondCentre(meta: usize, which: Centre): v128 {
  if (which == Centre.LOW) return v128.load32_splat(meta, offsetof<BlockMeta>("lowCentreSecond"));
  const all = v128.load32_splat(meta, offsetof<BlockMeta>("centreSecond"));
  return which == Centre.BLOCK ? all : i16x8.sub(all, v128.load32_splat(meta, offsetof<BlockMeta>("lowCentreSecond")));
}

/** Where the block's scale times the sum of its codes lies, f32. */
export function scaledSumAt(meta: usize, subBlocks: bool, sub: usize): usize {
  return meta + (subBlocks ? offsetof<BlockMeta>("lowScaledSum") + sub : offsetof<BlockMeta>("scaledSum"));
}

/** -8 times the sum of a block's codes. */
export function centreOfBlock(meta: usize): i32 {
  return load<i32>(meta, offsetof<BlockMeta>("centreCodes0")) + load<i32>(meta, offsetof<BlockMeta>("centreCodes1"));
}

/** -8 times the sum of a sub-block's codes, which are 254 * first digit + second digit. */
export function centreOfSubBlock(meta: usize, sub: usize): i32 {
  const first = sumOfPair(meta + offsetof<BlockMeta>("lowCentreFirst") + sub);
  if (load<i32>(meta, offsetof<BlockMeta>("digits")) < 2) return first;
  const low = sumOfPair(meta + offsetof<BlockMeta>("lowCentreSecond"));
  return 254 * first + (sub ? sumOfPair(meta + offsetof<BlockMeta>("centreSecond")) - low : low);
}

/** 16 times the sum of a block's codes, which undoes the centre of 5-bit codes. */
export function uncentre(meta: usize): v128 {
  return i32x4.splat(-2 * centreOfBlock(meta));
}

function sumOfPair(at: usize): i32 {
  return <i32>load<i16>(at) + <i32>load<i16>(at, 2);
}
