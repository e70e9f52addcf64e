/**
 * Runs another command of this program in a process of its own, and reads its JSON.
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { type ErrorCode, NibbleError } from "../base/errors.ts";

/** @throws NibbleError with the code and message of the command */
export async function runNibble(args: readonly string[]): Promise<unknown> {
  const child = spawn(process.execPath, [process.argv[1]!, ...args, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  // What ends this process ends the other one first, and the error below ends this one.
  const signals = ["SIGINT", "SIGTERM"] as const;
  const stop = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of signals) process.on(signal, stop);
  try {
    const [output] = await Promise.all([text(child.stdout), once(child, "close")]);
    const result = output.trim() === "" ? {} : JSON.parse(output);
    if (child.exitCode === 0) return result;
    const { code = "internal", message = `nibble ${args[0]} ended with ${child.exitCode ?? child.signalCode}` } =
      result.error ?? {};
    throw new NibbleError(code as ErrorCode, message);
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}
