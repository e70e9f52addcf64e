/**
 * Requests that end: redirects followed by hand, silence and passing failures turned into errors that may be tried again.
 * @module
 */
import { NibbleError } from "../base/errors.ts";

export interface HttpOptions {
  /** Sent as a bearer token, to `tokenOrigin` and to nobody else, wherever a redirect leads. */
  readonly token?: string | undefined;
  readonly tokenOrigin?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a byte after which a request is given up. Default 30,000. */
  readonly stallMs?: number | undefined;
  /** Milliseconds before the second try; each further one waits twice as long. Default 500. */
  readonly retryMs?: number | undefined;
  /** Tries in a row that bring nothing new. Default 6. */
  readonly attempts?: number | undefined;
  /** Told before a further try: what went wrong, and the milliseconds until then. */
  readonly onRetry?: ((reason: string, ms: number) => void) | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Where the last redirect led. */
  readonly url: URL;
  /** SHA-256 that the hub names before it redirects to where the bytes lie. */
  readonly sha256: string | undefined;
  /** The body's pieces; fails as temporary where they cease to come. Leaving early ends the connection. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Ends the connection unread. */
  discard(): void;
}

/** Worth another try. */
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
/** A server that asks for a longer pause is told to the user instead. */
const LONGEST_PAUSE = 120_000;

/**
 * One request, redirects followed. Any status is an answer.
 * @throws TemporaryError where no answer came; NibbleError `io_error` for redirects without end or to a weaker protocol
 */
export async function request(url: URL, headers: Record<string, string>, options: HttpOptions): Promise<Answer> {
  const { token, tokenOrigin, signal, stallMs = 30_000 } = options;
  const silence = new AbortController();
  const anySignal = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const rest = (): void => clearTimeout(timer);
  const watch = async <T>(waited: Promise<T>, what: string): Promise<T> => {
    timer = setTimeout(() => silence.abort(), stallMs);
    try {
      return await waited;
    } catch (cause) {
      signal?.throwIfAborted();
      const reason = silence.signal.aborted ? `no byte in ${stallMs / 1000} s` : reasonOf(cause);
      throw new TemporaryError(`could not reach ${what}: ${reason}`, undefined, cause);
    } finally {
      rest();
    }
  };
  let at = url;
  let sha256: string | undefined;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const authorized = token !== undefined && at.origin === tokenOrigin;
    const init: RequestInit = {
      // What is packed on the way has another length and other ranges.
      headers: { "accept-encoding": "identity", ...headers, ...(authorized && { authorization: `Bearer ${token}` }) },
      signal: anySignal,
    };
    let response = await watch(fetch(at, { ...init, redirect: "manual" }), at.host);
    // A page may not look at a redirect; its browser follows, and drops the token at the next origin (Fetch standard 4.4).
    if (response.type === "opaqueredirect") response = await watch(fetch(at, init), at.host);
    sha256 ??= at.origin === tokenOrigin ? linkedHash(response.headers) : undefined;
    if (!REDIRECTS.includes(response.status)) {
      const reached = at;
      return {
        status: response.status,
        headers: response.headers,
        url: reached,
        sha256,
        discard: () => silence.abort(),
        async *chunks() {
          const reader = response.body?.getReader();
          try {
            while (reader) {
              const { value, done } = await watch(reader.read(), reached.host);
              if (done) return;
              yield value;
            }
          } finally {
            silence.abort();
          }
        },
      };
    }
    await response.body?.cancel();
    at = redirected(at, response.headers.get("location"));
  }
  throw new NibbleError("io_error", `expected at most ${MAX_REDIRECTS} redirects from ${url.host}, got more`);
}

function redirected(from: URL, location: string | null): URL {
  const to = location !== null && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const safe = to?.protocol === "https:" || (to?.protocol === "http:" && from.protocol === "http:");
  if (!to || !safe)
    throw new NibbleError("io_error", `expected a redirect of ${from.host} to https, got ${to?.protocol ?? location}`);
  return to;
}

/** `x-linked-etag` of the hub: the SHA-256 of a large file. */
function linkedHash(headers: Headers): string | undefined {
  return /^"([0-9a-f]{64})"$/.exec(headers.get("x-linked-etag") ?? "")?.[1];
}

/** fetch says "fetch failed" and hides why. */
function reasonOf(cause: unknown): string {
  const { message, cause: inner } = cause as Error & { cause?: { code?: string; message?: string } };
  return inner?.code ?? inner?.message ?? message;
}

/** @throws TemporaryError for statuses that pass; NibbleError `missing_file`, `io_error` for others but those expected */
export function checkStatus({ status, headers, url }: Answer, expected: readonly number[]): void {
  if (expected.includes(status)) return;
  const message = `expected status ${expected.join(" or ")} from ${url.host}, got ${status}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    throw new TemporaryError(message, retryAfter(headers));
  throw new NibbleError(status === 404 || status === 410 ? "missing_file" : "io_error", `${message}: ${url.pathname}`);
}

/** Seconds or a date (RFC 9110, 10.2.3), as milliseconds from now. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? 1000 * Number(value) : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** Counts tries that bring nothing new, and waits between them. */
export class Patience {
  readonly #options: HttpOptions;
  #failures = 0;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** Something new came. */
  renew(): void {
    this.#failures = 0;
  }

  /** Waits before the next try. @throws the error itself where another try is of no use */
  async endure(error: unknown): Promise<void> {
    const { attempts = 6, retryMs = 500, signal, onRetry } = this.#options;
    if (!(error instanceof TemporaryError) || ++this.#failures >= attempts) throw error;
    // Up to half is left to chance: many clients that failed together shall not come back together.
    const backoff = retryMs * 2 ** (this.#failures - 1) * (0.5 + Math.random() / 2);
    if (error.after !== undefined && error.after > LONGEST_PAUSE)
      throw new NibbleError("io_error", `${error.message}; it asks to come back in ${Math.ceil(error.after / 1000)} s`);
    const ms = Math.max(backoff, error.after ?? 0);
    onRetry?.(error.message, ms);
    await pause(ms, signal);
  }
}

/** Waits; rejects as soon as the signal is aborted. */
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

/** A short answer with one of the expected statuses, tried again where that may help. @throws as `checkStatus` */
export async function get(
  url: URL,
  headers: Record<string, string>,
  options: HttpOptions & { readonly expected: readonly number[]; readonly maxBytes: number },
): Promise<{ answer: Answer; body: Uint8Array }> {
  const patience = new Patience(options);
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
      await patience.endure(error);
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
