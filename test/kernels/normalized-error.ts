/** The mean square error over the mean square (NMSE), which is how approximate products are compared. */
export function normalizedError(actual: ArrayLike<number>, truth: ArrayLike<number>): number {
  let error = 0;
  let power = 0;
  for (let i = 0; i < truth.length; i++) {
    error += (actual[i]! - truth[i]!) ** 2;
    power += truth[i]! ** 2;
  }
  return error / power;
}
