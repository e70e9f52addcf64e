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

/**
 * `setImmediate` where there is one (1.9 us on Node 24), else a message to ourselves (4.1 us), else timers.
 * Nothing is taken from the host before this is called, and `close` leaves nothing that would keep a process alive.
 */
export function hostTurns(): HostTurns {
  if (typeof setImmediate === "function") {
    return { next: () => new Promise((resolve) => setImmediate(resolve)), close: () => {} };
  }
  return typeof MessageChannel === "function" ? messageTurns() : timerTurns();
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
