/**
 * Lets the host do other things between two steps: timers, sockets, abort events.
 * @module
 */
export interface HostTurns {
  /** Resolves in a later turn of the host's event loop (or, where turns are slow, at least after some of the calls). */
  next(): Promise<void>;
  close(): void;
}

/** Steps and milliseconds without a turn, where a turn costs a whole timer (1 to 4 ms). */
const MAX_STEPS = 16;
const MAX_MS = 8;

/** A turn this short has found nothing to do: 2 us against 40 to accept a connection. */
const IDLE_MS = 0.02;
/** How long a step waits for a crowd, at least and at most. */
const MIN_SERVING_MS = 5;
const MAX_SERVING_MS = 50;

/**
 * `setImmediate` where there is one (1.9 us on Node 24), else a message to ourselves (4.1 us), else timers.
 * Nothing is taken from the host before this is called, and `close` leaves nothing that would keep a process alive.
 */
export function hostTurns(): HostTurns {
  if (typeof setImmediate === "function") {
    return { next: busyTurns(() => new Promise((resolve) => setImmediate(resolve))), close: () => {} };
  }
  return typeof MessageChannel === "function" ? messageTurns() : timerTurns();
}

/**
 * libuv accepts one connection a turn (since 1.45), so with one turn a step 400 callers would wait for 400 steps, which was
 * 3 s with steps of 8 ms. A turn in which something was done is followed by another, for twice as long as the step took:
 * a crowd that comes again and again must not stop the answers.
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

/** Clocks stand still during a request on Workers, so steps are counted too. */
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
