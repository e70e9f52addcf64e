/**
 * The messages between a page and the worker that runs its model. Everything in them can be posted.
 * @module
 */
import { type ErrorCode, NibbleError } from "../../base/errors.ts";
import type { LoadProgress } from "../../runtime/weights.ts";

/** The calls that a page can make of every worker. It calls `load` first, and only once. */
export type Method =
  | "load"
  | "chat"
  | "completion"
  | "embeddings"
  | "embed"
  | "generate"
  | "tokenize"
  | "detokenize"
  | "applyTemplate";

/** A message to the worker. */
export type ToWorker =
  | {
      readonly type: "call";
      readonly id: number;
      /** A `Method`, or one that the worker has besides. */
      readonly method: string;
      readonly args: readonly unknown[];
    }
  /** Ends a call. The worker sends nothing more about it. */
  | { readonly type: "abort"; readonly id: number };

/** A message from the worker. */
export type FromWorker =
  | { readonly type: "progress"; readonly progress: LoadProgress }
  /** The request of a call with many values is accepted. */
  | { readonly type: "started"; readonly id: number }
  | { readonly type: "value"; readonly id: number; readonly value: unknown }
  /** The end of a call, with its value if the call has only one. */
  | { readonly type: "end"; readonly id: number; readonly value?: unknown }
  | { readonly type: "error"; readonly id: number; readonly error: PostedError };

/** An error as it is posted. Structured cloning would keep the message of an Error, but not our code. */
interface PostedError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly param: string | undefined;
}

export function postedError(error: unknown): PostedError {
  if (error instanceof NibbleError) return { code: error.code, message: error.message, param: error.param };
  return { code: undefined, message: error instanceof Error ? error.message : String(error), param: undefined };
}

export function receivedError({ code, message, param }: PostedError): Error {
  if (code === undefined) return new Error(message);
  return new NibbleError(code, message, param === undefined ? {} : { param });
}
