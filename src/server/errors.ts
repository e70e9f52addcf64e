/**
 * Turns errors into a status and a body in OpenAI's, Anthropic's or Ollama's shape.
 * @module
 */
import { type ErrorCode, NibbleError } from "../base/errors.ts";

/** The API that a request belongs to, which decides the shape of its errors. */
export type Dialect = "openai" | "anthropic" | "ollama";

/** The API that a request belongs to, also where its path is wrong. */
export function dialectOf(pathname: string, headers: Headers): Dialect {
  if (pathname.startsWith("/api/")) return "ollama";
  return headers.has("anthropic-version") || /^(\/v1)?\/messages\b/.test(pathname) ? "anthropic" : "openai";
}

interface Failure {
  readonly status: number;
  readonly message: string;
  readonly code: ErrorCode;
  readonly param: string | undefined;
  readonly figures?: Readonly<Record<string, number>> | undefined;
}

/** Codes that are not in this table are the server's own fault: status 500. */
const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  invalid_request: 400,
  invalid_argument: 400,
  template_error: 400, // the model's template refuses the messages
  bad_json: 400,
  bad_string: 400,
  duplicate_key: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  not_supported: 501,
  method_not_allowed: 405,
  timeout: 408,
  too_large: 413,
  unsupported_media_type: 415,
  overloaded: 429,
  bad_gateway: 502,
  shutting_down: 503,
  disposed: 503,
  poisoned: 503,
  out_of_memory: 503,
};

/** OpenAI's `type` and Anthropic's, by status. */
const TYPES: Readonly<Record<number, readonly [openai: string, anthropic: string]>> = {
  401: ["authentication_error", "authentication_error"],
  403: ["permission_error", "permission_error"],
  404: ["invalid_request_error", "not_found_error"],
  413: ["invalid_request_error", "request_too_large"],
  429: ["rate_limit_error", "rate_limit_error"],
  500: ["server_error", "api_error"],
  501: ["not_supported_error", "invalid_request_error"],
  502: ["server_error", "api_error"],
  503: ["server_error", "overloaded_error"],
};

/** Seconds that the header `retry-after` tells the client to wait. */
const RETRY_AFTER: Readonly<Record<number, string>> = { 429: "1", 503: "5" };

/** Messages are cut, because they repeat values of the request. */
const MAX_MESSAGE = 500;
const MAX_PARAM = 200;

/** The error if it is a NibbleError. Its name is compared, because `nibble-llm` and `nibble-llm/server` are separate bundles with a class each. */
export function asNibbleError(error: unknown): NibbleError | undefined {
  return error instanceof Error && error.name === "NibbleError" ? (error as NibbleError) : undefined;
}

/** An unknown error becomes a bare 500, so that none of its details leave the server. */
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
    figures: known.figures,
  };
}

/** Whether an error is the server's own fault. */
export function isInternal(error: unknown): boolean {
  return failureOf(error).status === 500;
}

/** A prompt that does not fit the context (`param` names it) is the client's fault; running out of cache pages is the server's. */
function statusOf({ code, param }: NibbleError): number | undefined {
  return code === "context_full" ? (param === undefined ? 503 : 400) : STATUS[code];
}

/** The body of an error. */
export function errorBody(error: unknown, dialect: Dialect): object {
  const { status, message, code, param, figures } = failureOf(error);
  const [openai, anthropic] = TYPES[status] ?? ["invalid_request_error", "invalid_request_error"];
  if (dialect === "ollama") return { error: message };
  if (dialect === "anthropic") {
    // The SDKs then send the whole conversation again.
    const lost = code === "not_found" && param === "thread.previous_message_id";
    const details = lost ? { details: { error_code: "thread_not_found" } } : {};
    return { type: "error", error: { type: anthropic, message, ...details } };
  }
  const name = code === "context_full" ? "context_length_exceeded" : code;
  return { error: { message, type: openai, param: param ?? null, code: name, ...figures } };
}

export function errorResponse(error: unknown, dialect: Dialect): Response {
  const { status } = failureOf(error);
  const retry = RETRY_AFTER[status];
  return Response.json(errorBody(error, dialect), {
    status,
    headers: { ...(retry && { "retry-after": retry }), ...(status === 401 && { "www-authenticate": "Bearer" }) },
  });
}

/** Pairs of a pattern for the beginning of the engine's name of a field, and the client's name. The first match counts. */
export type FieldNames = readonly (readonly [engine: RegExp, client: string])[];

/** The same error with the client's name of the field. */
export function renameParam(error: unknown, names: FieldNames): unknown {
  const known = asNibbleError(error);
  const { param, message } = known ?? {};
  const found = param === undefined ? undefined : names.find(([engine]) => engine.test(param));
  if (!known || !found || param === undefined || message === undefined) return error;
  const name = param.replace(...found);
  const renamed = message.startsWith(param) ? name + message.slice(param.length) : message;
  return new NibbleError(known.code, renamed, { param: name, cause: error });
}

/** The same error for a client that did not send the first `count` messages. */
export function shiftMessages(error: unknown, count: number): unknown {
  const index = /^messages\[(\d+)\]/.exec(asNibbleError(error)?.param ?? "")?.[1];
  if (index === undefined || count === 0) return error;
  return renameParam(error, [[/^messages\[\d+\]/, `messages[${Number(index) - count}]`]]);
}
