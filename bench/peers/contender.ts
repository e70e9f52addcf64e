/**
 * One engine with one model, in a process of its own.
 * @module
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Test } from "../../src/cli/throughput.ts";

/** A test that was prepared and warmed up; each call is a sample, in seconds. */
export type Timed = () => Promise<number>;

export interface Contender {
  /** What it says of itself: versions, and the instructions that it uses. */
  readonly about: string;
  /** Computes what lies before the test, and runs it once. Tests prepared stay so. */
  prepare(test: Test): Promise<Timed>;
  close(): Promise<void>;
}

/** What a child is told: to prepare a test, or to run the one that it prepared as its n-th. */
type Order = { readonly prepare: Test } | { readonly run: number };
/** What it answers: its introduction first, then a line an order. */
type Reply =
  | { readonly about: string }
  | { readonly prepared: number }
  | { readonly seconds: number }
  | { readonly error: string };

/** Starts a module of this folder that calls `serve`. */
export async function startChild(module: string, args: readonly string[]): Promise<Contender> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), args, {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const gone = once(child, "exit").then(([code, signal]) => {
    throw new Error(`ended with ${code ?? signal}`);
  });
  gone.catch(() => {});
  const reply = async <K extends string>(key: K): Promise<Extract<Reply, Record<K, unknown>>[K]> => {
    const [message] = (await Promise.race([once(child, "message"), gone])) as [
      Record<string, unknown> & { readonly error?: string },
    ];
    if (Object.hasOwn(message, key)) return message[key] as never;
    throw new Error(`expected ${key}, got ${message.error}`);
  };
  const ask = (order: Order): void => void child.send(order);
  const close = async (): Promise<void> => {
    child.kill();
    await gone.catch(() => {});
  };
  try {
    const about = await reply("about");
    return {
      about,
      async prepare(test) {
        const answer = reply("prepared");
        ask({ prepare: test });
        const run = await answer;
        return async () => {
          const answer = reply("seconds");
          ask({ run });
          return answer;
        };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The child's side: says what it is, then does what it is told to. */
export async function serve(start: () => Promise<Omit<Contender, "close">>): Promise<void> {
  const send = (reply: Reply): void => void process.send!(reply);
  const prepared: Timed[] = [];
  try {
    const { about, prepare } = await start();
    const obey = async (order: Order): Promise<Reply> => {
      if ("run" in order) return { seconds: await prepared[order.run]!() };
      return { prepared: prepared.push(await prepare(order.prepare)) - 1 };
    };
    process.on("message", (order: Order) => obey(order).then(send, (error) => send({ error: String(error) })));
    send({ about });
  } catch (error) {
    send({ error: String(error) });
    process.disconnect();
  }
}
