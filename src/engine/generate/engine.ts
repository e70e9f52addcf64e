/**
 * The parts of a model that its answers share.
 * @module
 */
import type { Executor } from "../../runtime/types.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import type { Candidates } from "../sample/candidates.ts";
import type { Scheduler } from "../schedule/scheduler.ts";

/** The parts of a model that all its requests share. */
export interface Engine {
  readonly tokenizer: Tokenizer;
  readonly executor: Executor;
  readonly scheduler: Scheduler;
  readonly candidates: Candidates;
  /** Whether a draft model drafts for the requests that take drafts. */
  readonly hasDraftModel?: boolean;
  /** The text that separates all requests of this caller from others, as `Sharing` says. */
  readonly cacheSalt?: string | undefined;
}
