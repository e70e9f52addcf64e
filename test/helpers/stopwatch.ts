/**
 * A stopwatch that judges a computation alike on every machine. Tests that something is not quadratic, or ends at all, use it.
 * @module
 */

const { threadCpuUsage } = process as unknown as { threadCpuUsage?(): NodeJS.CpuUsage };
/** Seconds that this thread has computed. What other threads and processes take meanwhile does not count. */
const computed = (): number => {
  const { user, system } = threadCpuUsage?.call(process) ?? process.cpuUsage();
  return (user + system) / 1e6;
};

/** What `work` takes alone on a core of the development machine (Epyc, 2.6 GHz). */
const WORK_SECONDS = 0.02;

/** A fixed piece of work with numbers, memory and strings; it returns something, so that no engine leaves it out. */
function work(): number {
  const table = new Int32Array(1 << 16);
  for (let i = 1, x = 1; i < 10_000_000; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    table[x >>> 16]! += i;
  }
  const words = new Map<string, number>();
  for (let i = 0; i < 250_000; i++) words.set(`w${table[i]! & 4095}`, i);
  return words.size;
}

let unit: number | undefined;
/** Seconds that the fixed work takes here: the best of some runs. */
function measure(): number {
  const times = Array.from({ length: 5 }, () => {
    const start = computed();
    return work() > 0 ? computed() - start : 0;
  });
  return Math.min(...times);
}

/**
 * Starts a stopwatch. What it returns gives the seconds that this thread has computed since then, as if on the development
 * machine: they are scaled by the time of a fixed piece of work. A machine that is slow or busy thus gives about the same; limits
 * are ten times what is measured, or more, and far below what the fault would take that the test looks for.
 */
export function stopwatch(): () => number {
  unit ??= measure();
  const start = computed();
  return () => ((computed() - start) * WORK_SECONDS) / unit!;
}
