// The two f32 steps that every quantised matmul takes from block to block. All kernels, whatever their build, type and
// number of rows, take exactly these, in this order, so all give the same bits:
//
//   acc += sum * (d_w * d_x)     sum: the exact integer sum of a block's products; d_w, d_x: the scales of both sides
//   acc += m_w * (d_x * s_x)     only for types with minima; s_x: the sum of the block's activation codes

/** acc + sum * (weightScale * activationScale); `sum` is i32x4, the others f32x4. */
export function addScaled(acc: v128, sum: v128, weightScale: v128, activationScale: v128): v128 {
  return f32x4.add(acc, f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.mul(weightScale, activationScale)));
}

/** acc + minimum * scaledSum, f32x4. */
export function addMinimum(acc: v128, minimum: v128, scaledSum: v128): v128 {
  return f32x4.add(acc, f32x4.mul(minimum, scaledSum));
}

/** Stores the sums of a group's 16 rows. */
export function storeGroup(dst: usize, acc0: v128, acc1: v128, acc2: v128, acc3: v128): void {
  v128.store(dst, acc0);
  v128.store(dst, acc1, 16);
  v128.store(dst, acc2, 32);
  v128.store(dst, acc3, 48);
}
