// The barrier of an executor's threads. Only the build with shared memory has it; the other builds run one thread.
// Sums are never split among threads, so no bit depends on the order in which threads arrive.
import { ARRIVED, Batch, FAILED, GENERATION, RUNS, SLEEPERS, STOP } from "./batch";

/**
 * Loads of the barrier's word before a thread goes to sleep, about 0.1 ms, because waking takes tens of microseconds on
 * a virtual machine. Decode of the 140M shape with two threads (one thread: 64 tokens/s): 58 tokens/s with 2,000 loads,
 * 100 tokens/s with 100,000.
 */
const SPINS: i32 = 100000;
/** Between tokens a thread waits for the caller to sample, about 1 ms; then it sleeps until the next request. */
const IDLE_SPINS: i32 = 1000000;
/** If a thread waits at a barrier for longer than this, another thread counts as lost. */
const PATIENCE: i64 = 10_000_000_000; // ns
const NAP: i64 = 100_000_000;

/** Waits for all threads. Traps when a thread has failed, or does not come. */
export function barrier(batch: Batch, thread: i32, threads: i32): void {
  if (!ASC_FEATURE_THREADS) return;
  if (threads == 1) return;
  const at = changetype<usize>(batch);
  const generation = atomic.load<i32>(at, GENERATION);
  if (atomic.add<i32>(at, 1, ARRIVED) == threads - 1) {
    atomic.store<i32>(at, 0, ARRIVED);
    atomic.add<i32>(at, 1, GENERATION);
    wake(batch, GENERATION);
    if (thread == 0) batch.barriers++;
    return;
  }
  const spins = spin(batch, GENERATION, generation, SPINS);
  if (thread == 0) {
    batch.barriers++;
    batch.spins += spins;
  }
  if (spins < SPINS) return;
  let waited: i64 = 0;
  while (atomic.load<i32>(at, GENERATION) == generation) {
    if (atomic.load<i32>(at, FAILED) || waited >= PATIENCE) fail(batch);
    sleep(batch, GENERATION, generation, NAP);
    waited += NAP;
  }
}

/** Loads the word `word` until it is no longer `seen`, at most `limit` times. Returns how many times it was `seen`. */
export function spin(batch: Batch, word: usize, seen: i32, limit: i32): i32 {
  if (!ASC_FEATURE_THREADS) return 0;
  const at = changetype<usize>(batch) + word;
  for (let i = 0; i < limit; i++) if (atomic.load<i32>(at) != seen) return i;
  return limit;
}

/**
 * Sleeps while the word is `seen`, for at most `time` nanoseconds (-1: for ever). The thread counts as a sleeper before
 * it looks at the word, and `wake` counts sleepers after it has changed the word; atomic operations have one order for
 * all threads, so no thread sleeps on unnoticed.
 */
function sleep(batch: Batch, word: usize, seen: i32, time: i64): void {
  if (!ASC_FEATURE_THREADS) return;
  const at = changetype<usize>(batch);
  atomic.add<i32>(at, 1, SLEEPERS);
  atomic.wait<i32>(at + word, seen, time);
  atomic.sub<i32>(at, 1, SLEEPERS);
}

/** Wakes the threads that sleep on a word, which has changed. A call of notify costs 1 to 2 microseconds. */
function wake(batch: Batch, word: usize): void {
  if (!ASC_FEATURE_THREADS) return;
  const at = changetype<usize>(batch);
  if (atomic.load<i32>(at, SLEEPERS)) atomic.notify(at + word, -1);
}

/** Tells the other threads, then traps. */
function fail(batch: Batch): void {
  if (ASC_FEATURE_THREADS) {
    atomic.store<i32>(changetype<usize>(batch), 1, FAILED);
    atomic.notify(changetype<usize>(batch) + GENERATION, -1);
  }
  unreachable();
}

/** Starts the threads that `awaitRun` holds. */
export function startRun(batch: Batch): void {
  if (!ASC_FEATURE_THREADS) return;
  atomic.add<i32>(changetype<usize>(batch), 1, RUNS);
  wake(batch, RUNS);
}

/** Waits until the count of runs is no longer `seen`; returns the new count, or -1 where the thread must stop. */
export function awaitRun(batch: Batch, seen: i32): i32 {
  if (!ASC_FEATURE_THREADS) return -1;
  const at = changetype<usize>(batch);
  spin(batch, RUNS, seen, IDLE_SPINS);
  while (atomic.load<i32>(at, RUNS) == seen) sleep(batch, RUNS, seen, -1);
  return atomic.load<i32>(at, STOP) ? -1 : atomic.load<i32>(at, RUNS);
}
