/**
 * What a status means for a request, and for the server that gave it.
 * @module
 */

/** Whether a status refuses the key, so that no request to this server can succeed. */
export function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

/** 5xx that say what a server is unable to do (RFC 9110, 15.6.2 and 15.6.6): asking again changes nothing. */
const UNABLE: ReadonlySet<number> = new Set([501, 505]);

/**
 * Whether the same request may get another answer later: 408, 409, 425, 429 and 5xx. These are the statuses that OpenAI's
 * libraries send again (openai-node 6, `shouldRetry`: 408, 409, 429, 5xx), with 425 Too Early (RFC 8470) and without 501 and
 * 505, which they repeat too.
 */
export function mayPass(status: number): boolean {
  if (status >= 500) return !UNABLE.has(status);
  return status === 408 || status === 409 || status === 425 || status === 429;
}

/**
 * What follows from an answer: `busy`: the server has too much to do, or is not ready; `failed`: it failed at this request.
 * Either is sent again. The header `x-should-retry`, which OpenAI's servers send and its libraries obey, decides before the status.
 */
export function kindOf({
  status,
  shouldRetry,
}: {
  status: number;
  shouldRetry?: boolean | undefined;
}): "answered" | "busy" | "failed" | "refused" {
  if (isRefusal(status)) return "refused";
  if (!(shouldRetry ?? mayPass(status))) return "answered";
  return status === 429 || status === 503 ? "busy" : "failed";
}
