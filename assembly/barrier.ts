// Threads of one executor meet here. Only the build with shared memory has any of this; the others run one thread.
//
// Control words, i32, in the batch header (program.ts): arrived | generation | failed | start | stop.
// Sums are never split among threads, so who arrives when changes no bit.

export const CONTROL: usize = 32;
const GENERATION: usize = 4;
const FAILED: usize = 8;
const START: usize = 12;
const STOP: usize = 16;

/**
 * Loads before a thread goes to sleep, about 0.1 ms. Waking takes tens of microseconds on a virtual machine, and a token has
 * 130 barriers: decode of the 140M shape with two threads, tokens/s (one thread: 64): 58 with 2,000, 100 with 100,000.
 */
const SPINS: i32 = 100000;
/** Between tokens a thread waits for the caller to sample, about 1 ms; then it sleeps until the next request. */
const IDLE_SPINS: i32 = 1000000;
/** A barrier that nobody joins for this long has lost a thread. */
const PATIENCE: i64 = 10_000_000_000; // ns
const NAP: i64 = 100_000_000;

/** Waits for all threads. Traps when a thread has failed, or does not come. */
export function barrier(batch: usize, threads: i32): void {
  if (!ASC_FEATURE_THREADS) return;
  if (threads == 1) return;
  const control = batch + CONTROL;
  const generation = atomic.load<i32>(control, GENERATION);
  if (atomic.add<i32>(control, 1) == threads - 1) {
    atomic.store<i32>(control, 0);
    atomic.add<i32>(control, 1, GENERATION);
    atomic.notify(control + GENERATION, -1);
    return;
  }
  for (let i = 0; i < SPINS; i++) if (atomic.load<i32>(control, GENERATION) != generation) return;
  let waited: i64 = 0;
  while (atomic.load<i32>(control, GENERATION) == generation) {
    if (atomic.load<i32>(control, FAILED) || waited >= PATIENCE) fail(batch);
    atomic.wait<i32>(control + GENERATION, generation, NAP);
    waited += NAP;
  }
}

/** Tells the other threads, then traps. */
function fail(batch: usize): void {
  if (ASC_FEATURE_THREADS) {
    atomic.store<i32>(batch + CONTROL, 1, FAILED);
    atomic.notify(batch + CONTROL + GENERATION, -1);
  }
  unreachable();
}

/** Wakes the threads that `awaitStart` holds. */
export function start(batch: usize): void {
  if (!ASC_FEATURE_THREADS) return;
  atomic.add<i32>(batch + CONTROL, 1, START);
  atomic.notify(batch + CONTROL + START, -1);
}

/** Waits until the start count is no longer `seen`; gives the new count, or -1 at the end. */
export function awaitStart(batch: usize, seen: i32): i32 {
  if (!ASC_FEATURE_THREADS) return -1;
  const control = batch + CONTROL;
  for (let i = 0; i < IDLE_SPINS; i++) if (atomic.load<i32>(control, START) != seen) break;
  while (atomic.load<i32>(control, START) == seen) atomic.wait<i32>(control + START, seen, -1);
  return atomic.load<i32>(control, STOP) ? -1 : atomic.load<i32>(control, START);
}
