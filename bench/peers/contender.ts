/**
 * Runs one engine with one model in a process of its own.
 * @module
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Test } from "../../src/cli/throughput.ts";
import type { Waits } from "../../src/runtime/threads.ts";

/** One run of a test. */
export interface Sample {
  readonly seconds: number;
  /** Barriers that the engine's first thread has passed, and about how many seconds it waited there. */
  readonly waits?: Waits;
}

/** A test that was prepared and warmed up; each call is a sample. */
export type Timed = () => Promise<Sample>;

export interface Contender {
  /** Its description of itself: versions, and the instructions that it uses. */
  readonly about: string;
  /** Reads the tokens before the test and runs it once as a warm-up. Earlier tests stay prepared. */
  prepare(test: Test): Promise<Timed>;
  close(): Promise<void>;
}

/** An order to a child: to prepare a test, or to run the test that it prepared as its n-th. */
type Order = { readonly prepare: Test } | { readonly run: number };
/** A message of the child: first its description, then one reply per order. */
type Reply =
  | { readonly about: string }
  | { readonly prepared: number }
  | { readonly sample: Sample }
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
  const close = async (): Promise<void> => {
    child.kill();
    await gone.catch(() => {});
  };
  const ask = async <K extends string>(order: Order, key: K): Promise<Answer<K>> => {
    const answer = nextReply(child, gone, key);
    child.send(order);
    return answer;
  };
  try {
    const about = await nextReply(child, gone, "about");
    return {
      about,
      async prepare(test) {
        const run = await ask({ prepare: test }, "prepared");
        return () => ask({ run }, "sample");
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Answer<K extends string> = Extract<Reply, Record<K, unknown>>[K];

/** The value of a field of the child's next message. @throws Error with the child's message, or if it ends */
async function nextReply<K extends string>(child: ChildProcess, gone: Promise<never>, key: K): Promise<Answer<K>> {
  const [message] = (await Promise.race([once(child, "message"), gone])) as [
    Record<string, unknown> & { readonly error?: string },
  ];
  if (Object.hasOwn(message, key)) return message[key] as never;
  throw new Error(message.error ?? `the reply has no field ${key}`);
}

/** The child's side: sends its description, and then obeys orders. */
export async function serve(start: () => Promise<Omit<Contender, "close">>): Promise<void> {
  const send = (reply: Reply): void => void process.send!(reply);
  const prepared: Timed[] = [];
  try {
    const { about, prepare } = await start();
    const obey = async (order: Order): Promise<Reply> => {
      if ("run" in order) return { sample: await prepared[order.run]!() };
      return { prepared: prepared.push(await prepare(order.prepare)) - 1 };
    };
    process.on("message", (order: Order) => obey(order).then(send, (error) => send({ error: String(error) })));
    send({ about });
  } catch (error) {
    send({ error: String(error) });
    process.disconnect();
  }
}
