/**
 * Reads a request's JSON body, whose size, time and depth are bounded before it is parsed.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import { parseJson } from "../base/json.ts";

/** The fields of a request. The engine checks each of them. */
export type Body = Readonly<Record<string, unknown>>;

/** Most bytes that the bodies of all requests may hold while they arrive. */
const MAX_ARRIVING = 64 * 2 ** 20;

export interface BodyLimits {
  readonly maxBytes: number;
  /** Milliseconds in which the client must have sent all of it. */
  readonly timeoutMs: number;
}

/**
 * A function that reads the bodies of a server's requests.
 * @throws NibbleError `unsupported_media_type`, `too_large`, `timeout`, `overloaded`, `bad_json`, `duplicate_key`,
 * `bad_string`
 */
export function bodyReader(limits: BodyLimits): (request: Request) => Promise<unknown> {
  const arriving = { bytes: 0 };
  return (request) => readJson(request, limits, arriving);
}

async function readJson(request: Request, limits: BodyLimits, arriving: { bytes: number }): Promise<unknown> {
  checkType(request.headers);
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity")
    throw new NibbleError("unsupported_media_type", `content-encoding: expected none, got ${encoding}`);
  const bytes = await readBytes(request, limits, arriving);
  if (bytes.length === 0) return undefined; // some calls need no body
  checkCounts(bytes);
  return plain(parseJson(withoutMark(bytes), { name: "body", roundIntegers: true }));
}

/**
 * Most objects, arrays and keys of a body. Each takes hundreds of bytes when it is parsed, and few in the text.
 */
const MAX_PARTS = 2 ** 16;
/** Most values in lists, such as token ids: as many as /detokenize takes. */
const MAX_VALUES = 2 ** 20;
const [QUOTE, BACKSLASH, BRACE, BRACKET, COLON, COMMA] = [0x22, 0x5c, 0x7b, 0x5b, 0x3a, 0x2c];

/** Counts the parts of a JSON text before they are made. @throws NibbleError `too_large` */
function checkCounts(bytes: Uint8Array): void {
  let [parts, values] = [0, 0];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) i = endOfString(bytes, i);
    else if (byte === BRACE || byte === BRACKET || byte === COLON) parts++;
    else if (byte === COMMA) values++;
    if (parts > MAX_PARTS)
      throw new NibbleError("too_large", `body: expected at most ${MAX_PARTS} objects, arrays and keys`);
    if (values > MAX_VALUES) throw new NibbleError("too_large", `body: expected at most ${MAX_VALUES} values`);
  }
}

/** The place of the quote that ends a string, or the end of the text. */
function endOfString(bytes: Uint8Array, start: number): number {
  let i = start + 1;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}

/**
 * Browsers let a page of any site post forms and plain text to this machine, but not JSON, which needs a preflight that
 * only sites in the option `cors` pass. Programs, such as `curl -d`, name any type or none; they send none of the two
 * headers of browsers.
 */
function checkType(headers: Headers): void {
  const type = headers.get("content-type") ?? "none";
  const browser = headers.has("origin") || headers.has("sec-fetch-site");
  if (browser && !/^application\/json\s*(;|$)/i.test(type))
    throw new NibbleError("unsupported_media_type", `content-type: expected application/json, got ${type}`);
}

/**
 * Reads a body within its limits.
 * @param arriving the bytes of all bodies that arrive at the same time
 * @throws NibbleError `too_large`, `timeout`, `overloaded`
 */
export async function readBytes(
  request: Request,
  { maxBytes, timeoutMs }: BodyLimits,
  arriving: { bytes: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = new NibbleError("too_large", `body: expected at most ${maxBytes} bytes`);
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge;
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const late = new NibbleError("timeout", `body: expected all of it within ${timeoutMs} ms`);
  const deadline = onceLate(timeoutMs, () => void reader.cancel(late).catch(() => {}));
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done && deadline.passed) throw late;
      if (done) break;
      deadline.progress();
      size += value.length;
      arriving.bytes += value.length;
      if (size > maxBytes) throw tooLarge;
      if (arriving.bytes > Math.max(MAX_ARRIVING, maxBytes))
        throw new NibbleError("overloaded", "too many bodies are arriving; try again later");
      chunks.push(value);
    }
    return concat(chunks, size);
  } catch (error) {
    void reader.cancel().catch(() => {});
    throw error;
  } finally {
    deadline.clear();
    arriving.bytes -= size;
  }
}

/** Turns of the event loop in which nothing arrives, after which a body is late. One turn reads what has arrived by then. */
const IDLE_TURNS = 3;

interface Deadline {
  readonly passed: boolean;
  /** Must be called when a part has arrived. */
  progress(): void;
  clear(): void;
}

/**
 * Calls `act` when a body is late. A timer that is due fires before sockets are read, so after a long computation it would
 * fire while the body lies ready. So whatever has arrived by then is read first, and a client that goes on to send has at
 * most as long again.
 */
function onceLate(timeoutMs: number, act: () => void): Deadline {
  let [passed, idle] = [false, 0];
  let latest: number | undefined;
  let timer = setTimeout(turn, timeoutMs);
  function turn(): void {
    latest ??= performance.now() + timeoutMs;
    passed = idle++ === IDLE_TURNS || performance.now() > latest;
    if (passed) act();
    else timer = setTimeout(turn, 0);
  }
  return {
    get passed() {
      return passed;
    },
    progress: () => {
      idle = 0;
    },
    clear: () => clearTimeout(timer),
  };
}

/** The bytes after UTF-8's byte order mark, which some clients (PowerShell's, for instance) put before a body. */
function withoutMark(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Maps become plain objects, as the engine takes them. The parser has bounded the depth, and `fromEntries` makes `__proto__` a field like any other. */
function plain(value: Json): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, field]) => [key, plain(field)]));
  return Array.isArray(value) ? value.map(plain) : value;
}
