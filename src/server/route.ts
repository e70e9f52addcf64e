/**
 * Routes, and the argument of the functions that answer them.
 * @module
 */
import type { FieldRules } from "../base/fields.ts";
import type { Admission } from "./admission.ts";
import type { ConversationStore } from "./conversation-store.ts";
import type { Failures } from "./failures.ts";
import type { Metrics } from "./metrics.ts";
import type { ModelPool } from "./models/pool.ts";
import type { BatchQueue } from "./openai/batches/queue.ts";
import type { FileLibrary } from "./openai/files/library.ts";
import type { Settings } from "./options.ts";

/** The state that all requests of one handler share. */
export interface ServerState {
  readonly models: ModelPool;
  readonly settings: Settings;
  readonly admission: Admission;
  /** The slots of calls that are over soon. */
  readonly quickly: Admission;
  readonly metrics: Metrics;
  /** Reports unexpected errors. */
  readonly failures: Failures;
  /** Reads a request's JSON body within the limits of the settings. @throws NibbleError as `bodyReader` says */
  readonly readBody: (request: Request) => Promise<unknown>;
  /** What users have uploaded, and the results of their batches. */
  readonly files: FileLibrary;
  readonly batches: BatchQueue;
  /** The conversations that /v1/responses and /v1/messages keep for later requests. */
  readonly conversations: ConversationStore;
  /** Seconds since 1970 at which the handler was made. */
  readonly created: number;
}

/** One request with its address taken apart. */
export interface Exchange {
  readonly request: Request;
  readonly url: URL;
  /** The values of the `:name` parts of the route's path. */
  readonly params: Readonly<Record<string, string>>;
  readonly server: ServerState;
  /**
   * Whose key the request has, as `keyCheck` tells: what one caller's requests leave behind is not for another one's.
   * Undefined where all callers are alike.
   */
  readonly caller: string | undefined;
  /** Whether it belongs to a batch, for which no one waits. */
  readonly ofBatch: boolean;
  /** How fields that nobody knows are treated, in every object of the request. */
  readonly rules: FieldRules;
  /** Reports that a part of the request is ignored. `what` names the field, `why` is a sentence for the log. */
  ignore(what: string, why: string): void;
}

export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** A part that begins with a colon stands for any text without a slash. */
  readonly path: string;
  /** Whether the route answers without an API key. */
  readonly open?: boolean;
  readonly respond: (exchange: Exchange) => Response | Promise<Response>;
}
