/**
 * HTTP requests that always end: redirects are followed here, so that a token goes to its own origin only, and silence and
 * passing failures become errors that can be tried again.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

export interface HttpOptions {
  /** A bearer token, which is sent to `tokenOrigin` and to no other origin that a redirect leads to. */
  readonly token?: string | undefined;
  /** The origin that gets the token, such as `https://huggingface.co`. */
  readonly tokenOrigin?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a byte after which a request is given up. Default: 30,000. */
  readonly stallMs?: number | undefined;
  /** Milliseconds before the second attempt. Each further pause is twice as long. Default: 500. */
  readonly retryMs?: number | undefined;
  /** How many attempts in a row may bring nothing new. Default: 6. */
  readonly attempts?: number | undefined;
  /** Is called before a further attempt, with the reason of the failure and the milliseconds until the attempt. */
  readonly onRetry?: ((reason: string, ms: number) => void) | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The URL that the last redirect led to. */
  readonly url: URL;
  /** The SHA-256 that the hub named before it redirected to another origin. */
  readonly sha256: string | undefined;
  /** The chunks of the body. Rejects with TemporaryError if they stop coming. Leaving early ends the connection. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Ends the connection without reading the body. */
  discard(): void;
}

/** A failure that another attempt may not have. */
export class TemporaryError extends NibbleError {
  /** Milliseconds that the server asked to wait. */
  readonly after: number | undefined;

  constructor(message: string, after?: number, cause?: unknown) {
    super("io_error", message, { cause });
    this.after = after;
  }
}

const MAX_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];
/** Milliseconds of the longest pause. If a server asks for a longer one, the error tells the user when to try again. */
const LONGEST_PAUSE = 120_000;

/**
 * Makes one request and follows its redirects. An answer of any status is returned.
 * @throws TemporaryError where no answer came; NibbleError `io_error` for too many redirects, or for one from https to http
 */
export async function request(url: URL, headers: Record<string, string>, options: HttpOptions): Promise<Answer> {
  const connection = new Connection(options);
  let at = url;
  let sha256: string | undefined;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await connection.fetch(at, headers);
    sha256 ??= at.origin === options.tokenOrigin ? linkedHash(response.headers) : undefined;
    if (!REDIRECTS.includes(response.status)) return connection.answer(response, at, sha256);
    await response.body?.cancel();
    at = redirected(at, response.headers.get("location"));
  }
  throw new NibbleError("io_error", `expected at most ${MAX_REDIRECTS} redirects from ${url.host}, got more`);
}

/** One request with its redirects. It is given up when no byte has come for a while. */
class Connection {
  readonly #options: HttpOptions;
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;

  constructor(options: HttpOptions) {
    const { signal } = options;
    this.#options = options;
    this.#signal = signal ? AbortSignal.any([signal, this.#ended.signal]) : this.#ended.signal;
  }

  async fetch(url: URL, headers: Record<string, string>): Promise<Response> {
    const { token, tokenOrigin } = this.#options;
    const authorized = token !== undefined && url.origin === tokenOrigin;
    const init: RequestInit = {
      // A compressed body would have another length and other ranges than the file.
      headers: { "accept-encoding": "identity", ...headers, ...(authorized && { authorization: `Bearer ${token}` }) },
      signal: this.#signal,
    };
    const response = await this.#watch(fetch(url, { ...init, redirect: "manual" }), url.host);
    if (response.type !== "opaqueredirect") return response;
    // A page cannot see where a redirect leads. Its browser follows, and drops the token at another origin by itself
    // (Fetch standard, section 4.4).
    return this.#watch(fetch(url, init), url.host);
  }

  answer({ status, headers, body }: Response, url: URL, sha256: string | undefined): Answer {
    return {
      status,
      headers,
      url,
      sha256,
      discard: () => this.#ended.abort(),
      chunks: () => this.#chunks(body, url.host),
    };
  }

  async *#chunks(body: ReadableStream<Uint8Array> | null, host: string): AsyncGenerator<Uint8Array> {
    const reader = body?.getReader();
    try {
      while (reader) {
        const { value, done } = await this.#watch(reader.read(), host);
        if (done) return;
        yield value;
      }
    } finally {
      this.#ended.abort();
    }
  }

  /** Waits for the host, but not longer than `stallMs`. @throws TemporaryError; the signal's reason */
  async #watch<T>(waited: Promise<T>, host: string): Promise<T> {
    const { signal, stallMs = 30_000 } = this.#options;
    let stalled = false;
    const timer = setTimeout(() => {
      stalled = true;
      this.#ended.abort();
    }, stallMs);
    try {
      return await waited;
    } catch (cause) {
      signal?.throwIfAborted();
      const reason = stalled ? `no byte in ${stallMs / 1000} s` : reasonOf(cause);
      throw new TemporaryError(`could not reach ${host}: ${reason}`, undefined, cause);
    } finally {
      clearTimeout(timer);
    }
  }
}

function redirected(from: URL, location: string | null): URL {
  const to = location !== null && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const safe = to?.protocol === "https:" || (to?.protocol === "http:" && from.protocol === "http:");
  if (!to || !safe)
    throw new NibbleError("io_error", `expected a redirect of ${from.host} to https, got ${to?.protocol ?? location}`);
  return to;
}

/** The SHA-256 of a large file, which the hub sends as `x-linked-etag`. */
function linkedHash(headers: Headers): string | undefined {
  return /^"([0-9a-f]{64})"$/.exec(headers.get("x-linked-etag") ?? "")?.[1];
}

/** Why a fetch failed. Node's fetch says only "fetch failed" and has the reason in `cause`. */
function reasonOf(cause: unknown): string {
  const { message, cause: inner } = cause as Error & { cause?: { code?: string; message?: string } };
  return inner?.code ?? inner?.message ?? message;
}

/**
 * Accepts the statuses `expected`.
 * @throws TemporaryError for a status that may pass; NibbleError `missing_file`, `io_error` for the others
 */
export function checkStatus({ status, headers, url }: Answer, expected: readonly number[]): void {
  if (expected.includes(status)) return;
  const message = `expected status ${expected.join(" or ")} from ${url.host}, got ${status}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    throw new TemporaryError(message, retryAfter(headers));
  throw new NibbleError(status === 404 || status === 410 ? "missing_file" : "io_error", `${message}: ${url.pathname}`);
}

/** Retry-After, which is in seconds or a date (RFC 9110, 10.2.3), in milliseconds from now. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? 1000 * Number(value) : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** Exponential backoff: waits between attempts, and gives up after too many in a row that brought nothing new. */
export class Backoff {
  readonly #options: HttpOptions;
  #failures = 0;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** Is called when an attempt has brought something new. */
  reset(): void {
    this.#failures = 0;
  }

  /** Waits before the next attempt. @throws the error itself if another attempt is of no use */
  async wait(error: unknown): Promise<void> {
    const { attempts = 6, retryMs = 500, signal, onRetry } = this.#options;
    if (!(error instanceof TemporaryError) || ++this.#failures >= attempts) throw error;
    // Up to half of the pause is random, so that clients that failed together do not come back together.
    const backoff = retryMs * 2 ** (this.#failures - 1) * (0.5 + Math.random() / 2);
    if (error.after !== undefined && error.after > LONGEST_PAUSE)
      throw new NibbleError("io_error", `${error.message}; try again in ${Math.ceil(error.after / 1000)} s`);
    const ms = Math.max(backoff, error.after ?? 0);
    onRetry?.(error.message, ms);
    await pause(ms, signal);
  }
}

/** Waits for `ms` milliseconds. Rejects as soon as the signal is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const leave = (): void => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", leave);
      resolve();
    }, ms);
    signal?.addEventListener("abort", leave, { once: true });
  });
}

/**
 * Reads a short answer of an expected status. Passing failures are tried again.
 * @throws NibbleError as `request` and `checkStatus`, and `limit_exceeded` for more than `maxBytes`
 */
export async function get(
  url: URL,
  headers: Record<string, string>,
  options: HttpOptions & { readonly expected: readonly number[]; readonly maxBytes: number },
): Promise<{ answer: Answer; body: Uint8Array }> {
  const backoff = new Backoff(options);
  for (;;) {
    try {
      const answer = await request(url, headers, options);
      try {
        checkStatus(answer, options.expected);
        return { answer, body: await readAll(answer, options.maxBytes) };
      } finally {
        answer.discard();
      }
    } catch (error) {
      await backoff.wait(error);
    }
  }
}

async function readAll(answer: Answer, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.chunks()) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new NibbleError("limit_exceeded", `expected at most ${maxBytes} bytes from ${answer.url.host}, got more`);
  }
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
