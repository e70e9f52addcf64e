/**
 * Lets the host handle timers, sockets and abort events between two steps.
 * @module
 */
export interface HostTurns {
  /** Resolves in a later turn of the host's event loop. Where turns are slow, only some of the calls wait for one. */
  next(): Promise<void>;
  close(): void;
}

/** How many steps and milliseconds may pass without a turn, where a turn costs a whole timer (1 to 4 ms). */
const MAX_STEPS = 16;
const MAX_MS = 8;

/**
 * A turn shorter than this had nothing to do. An empty turn takes 2 us, and accepting a connection takes 40 us (Node
 * 24).
 */
const IDLE_MS = 0.02;
/** How long turns may go on between two steps while the host has work, at least and at most. */
const MIN_SERVING_MS = 5;
const MAX_SERVING_MS = 50;

/**
 * `setImmediate` where it exists (1.9 us per turn on Node 24), else a message to the same thread (4.1 us), else timers.
 * No global of the host is used before this call, and after `close` nothing keeps the process alive.
 */
export function hostTurns(): HostTurns {
  if (typeof setImmediate === "function") {
    return { next: busyTurns(() => new Promise((resolve) => setImmediate(resolve))), close: () => {} };
  }
  return typeof MessageChannel === "function" ? messageTurns() : timerTurns();
}

/**
 * libuv accepts one connection per turn (since 1.45). With one turn per step, 400 callers would wait for 400 steps: 3 s
 * with steps of 8 ms. So a turn in which something was done is followed by another one, for at most twice as long as
 * the step took, so that callers who keep connecting do not stop the answers.
 */
function busyTurns(turn: () => Promise<void>): () => Promise<void> {
  let ended = now();
  return async () => {
    const start = now();
    const end = start + Math.min(Math.max(2 * (start - ended), MIN_SERVING_MS), MAX_SERVING_MS);
    do {
      const before = now();
      await turn();
      ended = now();
      if (ended - before < IDLE_MS) return;
    } while (ended < end);
  };
}

export function messageTurns(): HostTurns {
  const { port1, port2 } = new MessageChannel();
  let resume = () => {};
  port1.onmessage = () => resume();
  return {
    next: () =>
      new Promise((resolve) => {
        resume = resolve;
        port2.postMessage(0);
      }),
    close: () => port1.close(),
  };
}

/** Steps are counted too, because clocks stand still during a request on Workers. */
export function timerTurns(): HostTurns {
  let steps = 0;
  let since = now();
  return {
    async next() {
      if (++steps < MAX_STEPS && now() - since < MAX_MS) return;
      await new Promise((resolve) => setTimeout(resolve, 0));
      steps = 0;
      since = now();
    },
    close: () => {},
  };
}

/** Milliseconds from some fixed point. */
export function now(): number {
  return typeof performance === "object" ? performance.now() : Date.now();
}
