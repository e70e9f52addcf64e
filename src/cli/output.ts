/**
 * Writes answers to stdout and everything else to stderr.
 * @module
 */
import { once } from "node:events";
import { constants } from "node:os";
import { InterruptedError } from "../../weights-tools/atomic-file.ts";
import { type ErrorCode, NibbleError } from "../base/errors.ts";
import { isSystemError } from "../hosts/node/io.ts";
import { UsageError } from "./flags.ts";

/** Writes to stdout, and waits while the reader is slower. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

/**
 * Writes to stdout lines that were made from files or from answers of servers. Their control characters are escaped, so
 * that they cannot steer a terminal.
 */
export function printLines(text: string): Promise<void> {
  return print(printable(text));
}

/** Control characters other than tabs and line feeds, and those that turn the direction of text round. */
const CONTROLS = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** The same text with control characters as escapes such as `\u001b`. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function printJson(value: unknown): Promise<void> {
  return print(`${JSON.stringify(value)}\n`);
}

/** A line for the person at the terminal. Its control characters are escaped. */
export function note(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

/** Ends the process without a message when its reader has left (`nibble run | head`); a full disk is one line and exit code 1. */
export function leaveWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      if (stream === process.stdout) note(`nibble: could not write to stdout: ${error.message}`);
      process.exit(1);
    });
  }
}

/** Writes one line to stderr, with `json` also an object to stdout, and sets the exit code. */
export async function reportError(error: unknown, json: boolean): Promise<void> {
  process.exitCode = exitCode(error);
  const known = error instanceof NibbleError || isSystemError(error);
  const message = oneLine(known ? error.message : `internal error: ${(error as Error)?.message ?? error}`);
  note(`nibble: ${message}`);
  if (!known && process.env.NIBBLE_DEBUG) note(String((error as Error)?.stack));
  if (json) await printJson({ error: { code: codeOf(error), message } });
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof NibbleError) return error.code;
  return isSystemError(error) ? "io_error" : "internal";
}

/** 2 for wrong usage; for a signal 128 plus its number, as shells count it; else 1. */
function exitCode(error: unknown): number {
  if (error instanceof InterruptedError) return 128 + constants.signals[error.signal];
  return error instanceof UsageError ? 2 : 1;
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ");
}

/** Bytes as people read them: `3.6 MB`. */
export function size(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB"];
  let unit = 0;
  for (; bytes >= 1000 && unit < units.length - 1; unit++) bytes /= 1000;
  return `${unit === 0 ? bytes : bytes.toFixed(bytes < 10 ? 2 : 1)} ${units[unit]}`;
}

/** Counts as people read them: `3.35M`. */
export function count(n: number): string {
  if (n >= 1e9) return `${(n / 1e9).toFixed(2)}B`;
  return n >= 1e6 ? `${(n / 1e6).toFixed(2)}M` : n >= 1e3 ? `${(n / 1e3).toFixed(1)}k` : String(n);
}
