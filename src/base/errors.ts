/**
 * One error class for everything that a caller can cause. Its `code` is stable and meant for programs; its message is for
 * people: for a wrong value it says what was expected and what came, for anything else it says what is wrong.
 * @module
 */

/** Why a model file was refused. */
export type FormatErrorCode =
  | "bad_magic"
  | "unsupported_version"
  | "truncated" // the file has fewer bytes than its header says
  | "limit_exceeded" // a count or length is beyond the limits (src/formats/limits.ts)
  | "duplicate_key"
  | "bad_string" // not UTF-8, or empty where a name is needed
  | "bad_type" // a value type or tensor type that does not exist, or not the one the key needs
  | "bad_alignment"
  | "bad_shape"
  | "bad_offset" // overlapping, misaligned or not consecutive
  | "bad_json"
  | "bad_value" // a hyper-parameter that makes no sense
  | "missing_key"
  | "missing_tensor"
  | "missing_file"
  | "bad_weights" // a scale or weight that is not finite
  | "bad_tokenizer"
  | "unsupported_architecture"
  | "unsupported_type"; // a known tensor type that this version has no kernel for

/** Why anything else failed. */
export type RuntimeErrorCode =
  | "invalid_argument"
  | "invalid_request" // a field of a completion request; `param` names it
  | "template_error" // a chat template that fails, or exceeds its limits
  | "out_of_memory" // the plan does not fit the budget, or the host refused the memory
  | "context_full"
  | "non_finite_logits"
  | "disposed"
  | "poisoned" // a trap in wasm: the instance must not be used again
  | "unsupported_host"
  | "io_error"
  | ServerErrorCode;

/** Errors that only the HTTP server answers with; `src/server/errors.ts` has their HTTP status. */
export type ServerErrorCode =
  | "unauthorized" // no API key, or one that is not known
  | "forbidden" // a Host that the server does not answer to
  | "not_found"
  | "not_supported" // an endpoint of another server's API that this one does not have
  | "method_not_allowed"
  | "unsupported_media_type"
  | "too_large" // a body or header beyond the limits
  | "timeout" // a client that sends, or reads, too slowly
  | "bad_gateway" // another server, such as the hub, failed
  | "overloaded" // the queue is full
  | "shutting_down"
  | "internal";

/** What went wrong, for programs. A code keeps its meaning between versions. */
export type ErrorCode = FormatErrorCode | RuntimeErrorCode;

/** Every error that this library throws on purpose. */
export class NibbleError extends Error {
  /** A minifier renames the class, and Node prints the class's name for an uncaught error. */
  static override readonly name: string = "NibbleError";
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  /** The request field or option that was wrong, if one can be named. */
  readonly param: string | undefined;
  /** The numbers in the message, by name, for programs. */
  readonly figures: Readonly<Record<string, number>> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options?: ErrorOptions & { param?: string; figures?: Readonly<Record<string, number>> },
  ) {
    super(message, options);
    this.name = "NibbleError";
    this.code = code;
    this.param = options?.param;
    this.figures = options?.figures;
  }
}
