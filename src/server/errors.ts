/**
 * Errors as a client sees them: a status, and a body in OpenAI's shape or in Anthropic's.
 * @module
 */
import { type ErrorCode, NibbleError } from "../base/errors.ts";

/** Whose API a path belongs to. */
export type Dialect = "openai" | "anthropic";

interface Failure {
  readonly status: number;
  readonly message: string;
  readonly code: ErrorCode;
  readonly param: string | undefined;
}

/** What is not here is the server's own fault: 500. */
const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  invalid_request: 400,
  invalid_argument: 400,
  template_error: 400, // what a model's template says to the messages it was given
  bad_json: 400,
  bad_string: 400,
  duplicate_key: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  timeout: 408,
  too_large: 413,
  unsupported_media_type: 415,
  overloaded: 429,
  shutting_down: 503,
  disposed: 503,
  poisoned: 503,
};

/** OpenAI's `type` and Anthropic's, by status. */
const TYPES: Readonly<Record<number, readonly [openai: string, anthropic: string]>> = {
  401: ["authentication_error", "authentication_error"],
  403: ["permission_error", "permission_error"],
  404: ["invalid_request_error", "not_found_error"],
  413: ["invalid_request_error", "request_too_large"],
  429: ["rate_limit_error", "rate_limit_error"],
  500: ["server_error", "api_error"],
  503: ["server_error", "overloaded_error"],
};

/** Seconds after which another try makes sense. */
const RETRY_AFTER: Readonly<Record<number, string>> = { 429: "1", 503: "5" };

/** A message repeats what came, and that may be long. */
const MAX_MESSAGE = 500;
const MAX_PARAM = 200;

/** An error of our own class, also of another copy of it: `nibble-llm` and `nibble-llm/server` are separate bundles. */
export function asNibbleError(error: unknown): NibbleError | undefined {
  return error instanceof Error && error.name === "NibbleError" ? (error as NibbleError) : undefined;
}

/** Of an error that is not ours nothing leaves the server. */
function failureOf(error: unknown): Failure {
  const known = asNibbleError(error);
  const status = known && statusOf(known);
  if (!known || !status) {
    return { status: 500, code: known?.code ?? "internal", message: "internal error", param: undefined };
  }
  return {
    status,
    code: known.code,
    message: known.message.slice(0, MAX_MESSAGE),
    param: known.param?.slice(0, MAX_PARAM),
  };
}

/** Whether an error is the server's own fault. */
export function isInternal(error: unknown): boolean {
  return failureOf(error).status === 500;
}

/** A context that is full for a prompt is the client's matter; pages that ran out are the server's. */
function statusOf({ code, param }: NibbleError): number | undefined {
  return code === "context_full" ? (param === undefined ? 503 : 400) : STATUS[code];
}

/** The body of an error. */
export function errorBody(error: unknown, dialect: Dialect): object {
  const { status, message, code, param } = failureOf(error);
  const [openai, anthropic] = TYPES[status] ?? ["invalid_request_error", "invalid_request_error"];
  if (dialect === "anthropic") return { type: "error", error: { type: anthropic, message } };
  const name = code === "context_full" ? "context_length_exceeded" : code;
  return { error: { message, type: openai, param: param ?? null, code: name } };
}

export function errorResponse(error: unknown, dialect: Dialect): Response {
  const { status } = failureOf(error);
  const retry = RETRY_AFTER[status];
  return Response.json(errorBody(error, dialect), {
    status,
    headers: { ...(retry && { "retry-after": retry }), ...(status === 401 && { "www-authenticate": "Bearer" }) },
  });
}

/** How the engine calls a field, from its beginning, and how the client does. The first that matches counts. */
export type FieldNames = readonly (readonly [engine: RegExp, client: string])[];

/** The same error for a field that the client knows by another name. */
export function renameParam(error: unknown, names: FieldNames): unknown {
  const known = asNibbleError(error);
  const { param, message } = known ?? {};
  const found = param === undefined ? undefined : names.find(([engine]) => engine.test(param));
  if (!known || !found || param === undefined || message === undefined) return error;
  const name = param.replace(...found);
  const renamed = message.startsWith(param) ? name + message.slice(param.length) : message;
  return new NibbleError(known.code, renamed, { param: name, cause: error });
}
