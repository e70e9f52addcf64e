/**
 * The options of a handler, checked and with their defaults.
 * @module
 */
import { Fields, invalid } from "../base/fields.ts";
import type { SlotStore } from "./llama-server/slot-store.ts";

/** Options of `createHandler`. */
export interface HandlerOptions {
  /** Every request except /health must carry one of them, as `Authorization: Bearer` or `x-api-key`. Default: no key is required. */
  readonly apiKeys?: readonly string[];
  /** Origins whose pages may read answers; `"*"`: any. Default: none. Credentials are never allowed. */
  readonly cors?: "*" | readonly string[];
  /** The names in `Host` that are answered, without ports. Default: all. A server on loopback without keys should list its own. */
  readonly hosts?: readonly string[];
  /** Answers generated at once (default 8). */
  readonly slots?: number;
  /** Requests that may wait for a slot (default 64); further ones get status 429. */
  readonly queue?: number;
  /** Where POST /slots/N saves and restores what conversations have computed. Default: such requests get status 404. */
  readonly slotStore?: SlotStore;
  /** Most bytes of a body (default 4 MiB). */
  readonly maxBodyBytes?: number;
  /** Milliseconds in which a client must have sent its body (default 30,000). */
  readonly bodyTimeoutMs?: number;
  /** Milliseconds after which a reader that takes nothing of its stream counts as gone (default 30,000). */
  readonly stallTimeoutMs?: number;
  /** Answers GET /. Default: such requests get status 404. */
  readonly page?: (request: Request) => Response | Promise<Response>;
  /** Called with the cause of every answer with status 500, of which clients only see "internal error". */
  readonly onError?: (error: unknown) => void;
}

export type Settings = Required<Omit<HandlerOptions, "hosts" | "page" | "slotStore">> & {
  readonly hosts: HandlerOptions["hosts"];
  readonly page: HandlerOptions["page"];
  readonly slotStore: HandlerOptions["slotStore"];
};

/** @throws NibbleError `invalid_argument` that names the option */
export function checkHandlerOptions(options: HandlerOptions): Settings {
  const names = ["apiKeys", "cors", "hosts", "slots", "queue", "maxBodyBytes", "bodyTimeoutMs", "stallTimeoutMs"];
  const fields = new Fields(options, [...names, "page", "slotStore", "onError"], "", "invalid_argument");
  const whole = (name: string, min: number, otherwise: number): number =>
    fields.number(name, { min, integer: true }) ?? otherwise;
  const page = callback<NonNullable<HandlerOptions["page"]>>(fields, "page");
  return {
    apiKeys: texts(fields, "apiKeys") ?? [],
    cors: options.cors === "*" ? "*" : (texts(fields, "cors") ?? []),
    hosts: texts(fields, "hosts"),
    slots: whole("slots", 1, 8),
    queue: whole("queue", 0, 64),
    maxBodyBytes: whole("maxBodyBytes", 1, 4 * 2 ** 20),
    bodyTimeoutMs: whole("bodyTimeoutMs", 1, 30_000),
    stallTimeoutMs: whole("stallTimeoutMs", 1, 30_000),
    page,
    slotStore: checkStore(fields),
    onError: callback<Settings["onError"]>(fields, "onError") ?? (() => {}),
  };
}

function checkStore(fields: Fields): SlotStore | undefined {
  const store = fields.get("slotStore") as Partial<SlotStore> | undefined;
  if (store === undefined || (typeof store.read === "function" && typeof store.write === "function"))
    return store as SlotStore | undefined;
  throw fields.invalid("slotStore", "an object with read and write", store);
}

function callback<T>(fields: Fields, name: string): T | undefined {
  const value = fields.get(name);
  if (value === undefined || typeof value === "function") return value as T | undefined;
  throw fields.invalid(name, "a function", value);
}

function texts(fields: Fields, name: string): readonly string[] | undefined {
  const list = fields.array(name, 1024);
  const wrong = list?.find((text) => typeof text !== "string" || text === "");
  if (wrong !== undefined) throw invalid(name, "strings that are not empty", wrong, "invalid_argument");
  return list as readonly string[] | undefined;
}
