/**
 * A server that answers the requests of batches: another machine's, or a handler in this process.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { isObject } from "./request.ts";
import { isRefusal } from "./status.ts";

/** What a server answered to one request. */
export interface Answer {
  readonly status: number;
  /** The JSON of the answer; undefined where it is none. */
  readonly body: unknown;
  /** Milliseconds that the server asks to wait. */
  readonly retryAfterMs: number | undefined;
  /** Whether another attempt makes sense, where the server says so. */
  readonly shouldRetry?: boolean | undefined;
}

export interface BatchServer {
  /** Its name in messages, such as its URL. */
  readonly name: string;
  /** How many answers it computes at once, where it says so. @throws what `fetch` throws; NibbleError `unauthorized` */
  probe(signal: AbortSignal): Promise<number | undefined>;
  /**
   * @param body undefined: the request is a GET
   * @throws what `fetch` throws where the connection fails; NibbleError `io_error` for an answer that is cut off
   */
  send(path: string, body: object | undefined, signal: AbortSignal): Promise<Answer>;
}

export interface ServerOptions {
  /** The address, with or without `/v1` at its end. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** How requests are sent. Default: the host's `fetch`. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

export function batchServer({ url, apiKey, fetch: send = (request) => fetch(request) }: ServerOptions): BatchServer {
  const base = url.replace(/\/+$/, "").replace(/\/v1$/, "");
  const headers = { "content-type": "application/json", ...(apiKey && { authorization: `Bearer ${apiKey}` }) };
  const get = (path: string, signal: AbortSignal): Promise<Response> =>
    send(new Request(base + path, { headers, signal }));
  return {
    name: url,
    async probe(signal) {
      const models = await get("/v1/models", signal);
      await models.body?.cancel();
      if (isRefusal(models.status)) throw refusal(url, models.status);
      if (models.status >= 500) throw new NibbleError("bad_gateway", `status ${models.status}`);
      return slotsOf(await get("/props", signal));
    },
    async send(path, body, signal) {
      const init = { method: "POST", headers, body: JSON.stringify(body), signal };
      const response = await (body ? send(new Request(base + path, init)) : get(path, signal));
      const text = await response.text();
      const parsed = parse(text);
      if (response.ok && parsed === undefined)
        throw new NibbleError("io_error", "the answer is no JSON, or was cut off");
      const advice = response.headers.get("x-should-retry");
      const shouldRetry = advice === "true" || advice === "false" ? advice === "true" : undefined;
      return { status: response.status, body: parsed, retryAfterMs: retryAfter(response.headers), shouldRetry };
    },
  };
}

export function refusal(name: string, status: number): NibbleError {
  return new NibbleError("unauthorized", `${name}: it refuses the API key, or there is none (status ${status})`);
}

/** nibble's and llama-server's number of slots. */
async function slotsOf(response: Response): Promise<number | undefined> {
  const body = response.ok ? parse(await response.text()) : void (await response.body?.cancel());
  const slots = isObject(body) ? body.total_slots : undefined;
  return typeof slots === "number" && slots >= 1 ? slots : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The header's seconds, or the time until its date, in milliseconds (RFC 9110, section 10.2.3). */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value) ? 1000 * Number(value) : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
