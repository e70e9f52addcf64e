/**
 * One engine with one model, in a process of its own.
 * @module
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** What is timed: a prompt of `tokens` at once, or `tokens` single steps, each with logits, from an empty cache. */
export interface Task {
  readonly kind: "prompt" | "decode";
  readonly tokens: number;
}

export interface Contender {
  /** Unique within a run: `nibble relaxed, 1 thread`. */
  readonly name: string;
  /** What it says of itself: versions, and the instructions that it uses. */
  readonly about: string;
  /** Tokens a second. */
  run(task: Task): Promise<number>;
  close(): Promise<void>;
}

/** What a child answers: its introduction first, then a number a task. */
type Reply = { readonly about: string } | { readonly rate: number } | { readonly error: string };

/** Starts a module of this folder that calls `serve`. */
export async function startChild(name: string, module: string, args: readonly string[]): Promise<Contender> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), args, {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const gone = once(child, "exit").then(([code]) => {
    throw new Error(`${name}: ended with code ${code}`);
  });
  gone.catch(() => {});
  const reply = async (): Promise<Reply> => {
    const [message] = (await Promise.race([once(child, "message"), gone])) as [Reply];
    if ("error" in message) throw new Error(`${name}: ${message.error}`);
    return message;
  };
  const hello = await reply();
  return {
    name,
    about: "about" in hello ? hello.about : "",
    async run(task) {
      const answer = reply();
      child.send(task);
      const message = await answer;
      return "rate" in message ? message.rate : Number.NaN;
    },
    async close() {
      child.kill();
      await gone.catch(() => {});
    },
  };
}

/** The child's side: says what it is, then runs what it is told to. `run` returns seconds. */
export async function serve(
  start: () => Promise<{ about: string; run: (task: Task) => Promise<number> }>,
): Promise<void> {
  const send = (reply: Reply): void => void process.send!(reply);
  try {
    const { about, run } = await start();
    process.on("message", (task: Task) =>
      run(task).then(
        (seconds) => send({ rate: task.tokens / seconds }),
        (error) => send({ error: String(error) }),
      ),
    );
    send({ about });
  } catch (error) {
    send({ error: String(error) });
    process.disconnect();
  }
}
