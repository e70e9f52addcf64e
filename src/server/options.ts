/**
 * The options of a handler, checked and with their defaults.
 * @module
 */
import { Fields, invalid } from "../base/fields.ts";
import type { BlobStore } from "../batch/store.ts";
import { POOLINGS, type Pooling } from "../engine/schedule/batch-plan.ts";
import type { SlotStore } from "./llama-server/slot-store.ts";
import type { LostModel } from "./models/recovery.ts";
import type { ModelLibrary } from "./models/source.ts";

/** Options of `createHandler`. */
export interface HandlerOptions {
  /** Every request except /health and /ping must carry one of them, as `Authorization: Bearer`, `x-api-key` or `api-key`. Default: no key is required. */
  readonly apiKeys?: readonly string[];
  /** Origins whose pages may read answers; `"*"`: any. Default: none. Credentials are never allowed. */
  readonly cors?: "*" | readonly string[];
  /** The names in `Host` that are answered, without ports. Default: all. A server on loopback without keys should list its own. */
  readonly hosts?: readonly string[];
  /** The path before all endpoints, such as `/ai`, where a server has other routes too. Default: none. */
  readonly basePath?: string;
  /** Answers generated at once (default 8). */
  readonly slots?: number;
  /** Requests that may wait for a slot (default 64); further ones get status 429. */
  readonly queue?: number;
  /** Most models that the handler has loaded at once (default 4; 0: as many as memory holds). */
  readonly modelsMax?: number;
  /** Milliseconds without a request after which a model that the handler has loaded is disposed. Default: never. */
  readonly modelsIdleMs?: number;
  /**
   * How often within ten minutes a model that the handler has loaded is loaded again, where it can compute no more: after a
   * trap in WebAssembly, or where one of its threads has ended (default 3; 0: never). Meanwhile its requests wait, and
   * /health has status 503.
   */
  readonly reloads?: number;
  /** Called when a model can compute no more, and with what becomes of it. */
  readonly onLost?: (lost: LostModel) => void;
  /** Models that requests may name besides the given ones, and fetch by /api/pull. Default: there are none. */
  readonly library?: ModelLibrary;
  /** Responses of /v1/responses that are kept in memory, for `previous_response_id` (default 0: none). */
  readonly responseStore?: number;
  /**
   * Callers with different API keys reuse each other's cached prefixes. Default false, since the time to a first token then
   * tells one caller whether another one has sent the same text.
   */
  readonly sharePrefixes?: boolean;
  /** Where POST /slots/N saves and restores what conversations have computed. Default: such requests get status 404. */
  readonly slotStore?: SlotStore;
  /**
   * A secret of at least 32 bytes by which saved slots are signed. Only those are restored, since others could hold the
   * keys and values of any text. Default: a random one, so that slots are restored until this handler ends.
   */
  readonly slotKey?: Uint8Array;
  /** Where /v1/files and /v1/batches keep what they have. Default: in memory, at most 256 MiB, and gone with the handler. */
  readonly fileStore?: BlobStore;
  /** Most bytes of an upload to /v1/files (default 64 MiB); in memory it takes up to three times as much while it arrives. */
  readonly maxFileBytes?: number;
  /** Most bytes of a body (default 4 MiB). */
  readonly maxBodyBytes?: number;
  /** Milliseconds in which a client must have sent its body (default 30,000). */
  readonly bodyTimeoutMs?: number;
  /** Milliseconds after which a reader that takes nothing of its stream counts as gone (default 30,000). */
  readonly stallTimeoutMs?: number;
  /** Answers GET /. Default: such requests get status 404. */
  readonly page?: (request: Request) => Response | Promise<Response>;
  /** Fields of requests for chats and completions that do not have them, under OpenAI's and llama-server's names. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** The system message of chats that have no system or developer message. Default: none. */
  readonly systemPrompt?: string;
  /** The pooling of embeddings whose request names none. Default: the model's own. */
  readonly pooling?: Pooling;
  /** Refuses fields that nobody knows. Default: they are ignored, and a response header and `onWarning` name them. */
  readonly strict?: boolean;
  /** Called once for each kind of field that requests contain and the server ignores. */
  readonly onWarning?: (message: string) => void;
  /** Called with the cause of every answer with status 500, of which clients only see "internal error". */
  readonly onError?: (error: unknown) => void;
}

const MIN_SLOT_KEY = 32;

/** Options that stay undefined where they are not given. */
type Optional = "fileStore" | "hosts" | "page" | "slotStore" | "slotKey" | "library" | "pooling" | "systemPrompt";

export type Settings = Required<Omit<HandlerOptions, Optional | "modelsIdleMs">> & {
  readonly [Name in Optional]: HandlerOptions[Name];
} & {
  readonly idleMs: number;
  /** The ignored fields that `onWarning` was told of. */
  readonly told: Set<string>;
};

const OPTIONS: readonly (keyof HandlerOptions)[] = [
  "apiKeys",
  "cors",
  "hosts",
  "basePath",
  "slots",
  "queue",
  "modelsMax",
  "modelsIdleMs",
  "reloads",
  "onLost",
  "library",
  "responseStore",
  "sharePrefixes",
  "slotStore",
  "fileStore",
  "maxFileBytes",
  "slotKey",
  "maxBodyBytes",
  "bodyTimeoutMs",
  "stallTimeoutMs",
  "page",
  "defaults",
  "systemPrompt",
  "pooling",
  "strict",
  "onWarning",
  "onError",
];

/** @throws NibbleError `invalid_argument` that names the option */
export function checkHandlerOptions(options: HandlerOptions): Settings {
  const fields = new Fields(options, OPTIONS, "", "invalid_argument");
  const whole = (name: string, min: number, otherwise: number): number =>
    fields.number(name, { min, integer: true }) ?? otherwise;
  const page = callback<NonNullable<HandlerOptions["page"]>>(fields, "page");
  return {
    apiKeys: checkKeys(texts(fields, "apiKeys") ?? []),
    cors: options.cors === "*" ? "*" : (texts(fields, "cors") ?? []),
    hosts: texts(fields, "hosts"),
    basePath: checkBasePath(fields),
    slots: whole("slots", 1, 8),
    queue: whole("queue", 0, 64),
    modelsMax: whole("modelsMax", 0, 4) || Infinity,
    idleMs: fields.number("modelsIdleMs", { min: 0 }) ?? Infinity,
    reloads: whole("reloads", 0, 3),
    onLost: callback<Settings["onLost"]>(fields, "onLost") ?? (() => {}),
    responseStore: whole("responseStore", 0, 0),
    library: checkMethods<ModelLibrary>(fields, "library", ["list", "find", "pull"]),
    maxBodyBytes: whole("maxBodyBytes", 1, 4 * 2 ** 20),
    bodyTimeoutMs: whole("bodyTimeoutMs", 1, 30_000),
    stallTimeoutMs: whole("stallTimeoutMs", 1, 30_000),
    page,
    sharePrefixes: fields.boolean("sharePrefixes") ?? false,
    slotKey: checkSlotKey(fields),
    fileStore: checkMethods<BlobStore>(fields, "fileStore", ["names", "size", "read", "write", "append", "delete"]),
    maxFileBytes: whole("maxFileBytes", 1, 64 * 2 ** 20),
    slotStore: checkMethods<SlotStore>(fields, "slotStore", ["read", "write"]),
    defaults: (fields.get("defaults") ?? {}) as Settings["defaults"],
    systemPrompt: fields.string("systemPrompt", Infinity),
    pooling: fields.oneOf("pooling", POOLINGS),
    strict: fields.boolean("strict") ?? false,
    onWarning: callback<Settings["onWarning"]>(fields, "onWarning") ?? (() => {}),
    told: new Set(),
    onError: callback<Settings["onError"]>(fields, "onError") ?? (() => {}),
  };
}

function checkSlotKey(fields: Fields): Uint8Array | undefined {
  const key = fields.get("slotKey");
  if (key === undefined || (key instanceof Uint8Array && key.length >= MIN_SLOT_KEY)) return key;
  // The value is a secret, so the error does not repeat it.
  const got = key instanceof Uint8Array ? `${key.length} bytes` : typeof key;
  throw fields.invalid("slotKey", `a Uint8Array of at least ${MIN_SLOT_KEY} bytes`, got);
}

function checkMethods<T>(fields: Fields, name: string, methods: readonly (string & keyof T)[]): T | undefined {
  const value = fields.get(name) as (T & object) | undefined;
  if (value === undefined || methods.every((method) => typeof value[method] === "function")) return value;
  throw fields.invalid(name, `an object with ${methods.join(" and ")}`, value);
}

const MAX_BASE_PATH = 1024;

/** Returns the path without a slash at its end, which may be given. */
function checkBasePath(fields: Fields): string {
  const path = fields.string("basePath", MAX_BASE_PATH) ?? "";
  if (path !== "" && !/^(\/[^/?#\s%]+)*\/?$/.test(path)) throw fields.invalid("basePath", "a path such as /ai", path);
  return path.replace(/\/$/, "");
}

/** A header cannot carry control characters, and white space at its ends is dropped. */
function checkKeys(keys: readonly string[]): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a key must not have
  const wrong = keys.find((key) => /[\x00-\x1f\x7f]|^\s|\s$/.test(key));
  if (wrong === undefined) return keys;
  throw invalid(
    "apiKeys",
    "keys without control characters and without white space at their ends",
    wrong,
    "invalid_argument",
  );
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
