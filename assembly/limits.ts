/**
 * The loops that bench/limits.ts times; they are not shipped. They show the most that a kernel could reach on the
 * machine at hand.
 */
import { FusedSums, PairSums, tile8x4, tile8x6, tile16x4, tile16x6, WideSums } from "./limits/tiles";

export { read1, read2, read4 } from "./limits/read";
export { operandBytes, operandsAt, resultsAt } from "./limits/tiles";

export function relaxedDot8x4(rounds: i32, out: usize): void {
  tile8x4<PairSums>(rounds, out);
}

export function relaxedDotAdd8x4(rounds: i32, out: usize): void {
  tile8x4<FusedSums>(rounds, out);
}

export function dotI168x4(rounds: i32, out: usize): void {
  tile8x4<WideSums>(rounds, out);
}

export function relaxedDot8x6(rounds: i32, out: usize): void {
  tile8x6<PairSums>(rounds, out);
}

export function relaxedDotAdd8x6(rounds: i32, out: usize): void {
  tile8x6<FusedSums>(rounds, out);
}

export function dotI168x6(rounds: i32, out: usize): void {
  tile8x6<WideSums>(rounds, out);
}

export function relaxedDot16x4(rounds: i32, out: usize): void {
  tile16x4<PairSums>(rounds, out);
}

export function relaxedDotAdd16x4(rounds: i32, out: usize): void {
  tile16x4<FusedSums>(rounds, out);
}

export function dotI1616x4(rounds: i32, out: usize): void {
  tile16x4<WideSums>(rounds, out);
}

export function relaxedDot16x6(rounds: i32, out: usize): void {
  tile16x6<PairSums>(rounds, out);
}

export function relaxedDotAdd16x6(rounds: i32, out: usize): void {
  tile16x6<FusedSums>(rounds, out);
}

export function dotI1616x6(rounds: i32, out: usize): void {
  tile16x6<WideSums>(rounds, out);
}
