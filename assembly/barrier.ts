// The barrier of an executor's threads. Only the build with shared memory has it; the other builds run one thread.
// Sums are never split among threads, so no bit depends on the order in which threads arrive.
//
// The words that threads share are fields of Batch (operations.ts):
//   arrived      threads that wait at the current barrier
//   generation   barriers that have opened
//   failed       1 when a thread has trapped or was missed
//   runs         calls of `run` so far
//   stop         1 when helping threads must leave `serve`
import { Batch } from "./batch";

/**
 * Loads of the barrier's word before a thread goes to sleep, about 0.1 ms. Waking takes tens of microseconds on a
 * virtual machine, and a token passes 130 barriers. Decode of the 140M shape with two threads (one thread: 64
 * tokens/s): 58 tokens/s with 2,000 loads, 100 tokens/s with 100,000.
 */
const SPINS: i32 = 100000;
/** Between tokens a thread waits for the caller to sample, about 1 ms; then it sleeps until the next request. */
const IDLE_SPINS: i32 = 1000000;
/** If a thread waits at a barrier for longer than this, another thread counts as lost. */
const PATIENCE: i64 = 10_000_000_000; // ns
const NAP: i64 = 100_000_000;

/** Waits for all threads. Traps when a thread has failed, or does not come. */
export function barrier(batch: Batch, threads: i32): void {
  if (!ASC_FEATURE_THREADS) return;
  if (threads == 1) return;
  const at = changetype<usize>(batch);
  const generation = atomic.load<i32>(at, offsetof<Batch>("generation"));
  if (atomic.add<i32>(at, 1, offsetof<Batch>("arrived")) == threads - 1) {
    atomic.store<i32>(at, 0, offsetof<Batch>("arrived"));
    atomic.add<i32>(at, 1, offsetof<Batch>("generation"));
    atomic.notify(at + offsetof<Batch>("generation"), -1);
    return;
  }
  for (let i = 0; i < SPINS; i++) if (atomic.load<i32>(at, offsetof<Batch>("generation")) != generation) return;
  let waited: i64 = 0;
  while (atomic.load<i32>(at, offsetof<Batch>("generation")) == generation) {
    if (atomic.load<i32>(at, offsetof<Batch>("failed")) || waited >= PATIENCE) fail(batch);
    atomic.wait<i32>(at + offsetof<Batch>("generation"), generation, NAP);
    waited += NAP;
  }
}

/** Tells the other threads, then traps. */
function fail(batch: Batch): void {
  if (ASC_FEATURE_THREADS) {
    const at = changetype<usize>(batch);
    atomic.store<i32>(at, 1, offsetof<Batch>("failed"));
    atomic.notify(at + offsetof<Batch>("generation"), -1);
  }
  unreachable();
}

/** Wakes the threads that `awaitRun` holds. */
export function startRun(batch: Batch): void {
  if (!ASC_FEATURE_THREADS) return;
  const at = changetype<usize>(batch);
  atomic.add<i32>(at, 1, offsetof<Batch>("runs"));
  atomic.notify(at + offsetof<Batch>("runs"), -1);
}

/** Waits until the count of runs is no longer `seen`; returns the new count, or -1 where the thread must stop. */
export function awaitRun(batch: Batch, seen: i32): i32 {
  if (!ASC_FEATURE_THREADS) return -1;
  const at = changetype<usize>(batch);
  for (let i = 0; i < IDLE_SPINS; i++) if (atomic.load<i32>(at, offsetof<Batch>("runs")) != seen) break;
  while (atomic.load<i32>(at, offsetof<Batch>("runs")) == seen) {
    atomic.wait<i32>(at + offsetof<Batch>("runs"), seen, -1);
  }
  return atomic.load<i32>(at, offsetof<Batch>("stop")) ? -1 : atomic.load<i32>(at, offsetof<Batch>("runs"));
}
