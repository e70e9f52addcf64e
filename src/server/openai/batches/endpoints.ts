/**
 * OpenAI's /v1/batches.
 * @module
 */
import { Fields, invalid } from "../../../base/fields.ts";
import { BATCH_URLS } from "../../../batch/request.ts";
import type { Exchange } from "../../route.ts";
import { pageOf } from "../page.ts";

/** Most keys of `metadata`, and characters of a key and of a value: OpenAI's. */
const [MAX_KEYS, MAX_KEY, MAX_VALUE] = [16, 64, 512];
const UNITS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 24 * 3600 };
/** Seconds: OpenAI's bounds for output files, an hour and 30 days. */
const EXPIRY = { min: 3600, max: 30 * 24 * 3600, integer: true };

/** POST /v1/batches. @throws NibbleError `invalid_request` that names the field, `not_found` for the file, `overloaded` */
export async function createBatch(exchange: Exchange): Promise<object> {
  const { server, caller, request, rules } = exchange;
  const known = ["input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after"];
  const fields = new Fields(await server.readBody(request), known, "", rules);
  const inputFileId = fields.string("input_file_id", 100);
  if (inputFileId === undefined) throw fields.invalid("input_file_id", "the id of a file", undefined);
  const endpoint = fields.oneOf("endpoint", BATCH_URLS);
  if (endpoint === undefined) throw fields.invalid("endpoint", BATCH_URLS.join(" or "), undefined);
  const window = fields.string("completion_window", 20);
  const metadata = readMetadata(fields);
  const outputExpiresAfter = readExpiry(fields);
  const windowSeconds = secondsOf(window);
  const { purpose } = await server.files.get(inputFileId, caller);
  if (purpose !== "batch") throw invalid("input_file_id", 'a file with the purpose "batch"', purpose);
  return server.batches.create({
    owner: caller,
    endpoint,
    inputFileId,
    window: window!,
    windowSeconds,
    metadata,
    outputExpiresAfter,
  });
}

/** OpenAI has only `24h`; here any number of minutes, hours or days up to 30 days will do. */
function secondsOf(window: string | undefined): number {
  const [, amount, unit] = /^(\d{1,5})([mhd])$/.exec(window ?? "") ?? [];
  const seconds = Number(amount) * (UNITS[unit ?? ""] ?? 0);
  if (seconds > 0 && seconds <= EXPIRY.max) return seconds;
  throw invalid("completion_window", '"24h", or another time from "1m" to "30d"', window);
}

function readMetadata(fields: Fields): Readonly<Record<string, string>> | null {
  const value = fields.get("metadata");
  if (value === undefined) return null;
  const fits =
    typeof value === "object" &&
    !Array.isArray(value) &&
    Object.keys(value as object).length <= MAX_KEYS &&
    Object.entries(value as object).every(
      ([key, text]) => key.length <= MAX_KEY && typeof text === "string" && text.length <= MAX_VALUE,
    );
  if (fits) return value as Readonly<Record<string, string>>;
  const expected = `an object of at most ${MAX_KEYS} texts of at most ${MAX_VALUE} characters, under keys of at most ${MAX_KEY}`;
  throw fields.invalid("metadata", expected, value);
}

function readExpiry(fields: Fields): number | undefined {
  const value = fields.get("output_expires_after");
  if (value === undefined) return undefined;
  const own = fields.nested(value, ["anchor", "seconds"], "output_expires_after");
  if (own.oneOf("anchor", ["created_at"]) === undefined) throw own.invalid("anchor", '"created_at"', undefined);
  const seconds = own.number("seconds", EXPIRY);
  if (seconds === undefined) throw own.invalid("seconds", "a number", undefined);
  return seconds;
}

/** GET /v1/batches, newest first. @throws NibbleError `invalid_request` */
export async function listBatches({ server, caller, url }: Exchange): Promise<object> {
  return pageOf(await server.batches.list(caller), url.searchParams, { most: 100, byDefault: 20 });
}

/** GET /v1/batches/:id. @throws NibbleError `not_found` */
export function oneBatch({ server, caller, params }: Exchange): Promise<object> {
  return server.batches.get(params.id!, caller);
}

/** POST /v1/batches/:id/cancel. @throws NibbleError `not_found`, `invalid_request` for a batch that has ended */
export function cancelBatch({ server, caller, params }: Exchange): Promise<object> {
  return server.batches.cancel(params.id!, caller);
}
