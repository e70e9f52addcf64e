/**
 * What makes a batch's answers the same whoever computes them: ids and seeds that follow from the request, and no trace of
 * the clock or of a server's cache.
 * @module
 */
import { type BatchBody, type BatchRequest, isObject } from "./request.ts";

/** A request that is ready to be sent. */
export interface IdentifiedRequest extends BatchRequest {
  /** 24 hexadecimal digits of the SHA-256 of name, URL and body. */
  readonly hash: string;
  /**
   * The body that is sent: the request's own, with a seed where it draws at random and names none. Responses are not stored,
   * since their ids do not reach the results.
   */
  readonly sent: BatchBody;
}

/** The endpoints whose answers are drawn at random. (OpenAI has no seed for /v1/responses; nibble has.) */
const DRAWN = ["/v1/chat/completions", "/v1/completions", "/v1/responses"];

/**
 * The seed follows from the request with its name, so requests of equal bodies are drawn independently of each other, and
 * one that is sent a second time is answered as before.
 */
export async function identify(request: BatchRequest): Promise<IdentifiedRequest> {
  const { customId, url, body } = request;
  const text = new TextEncoder().encode(JSON.stringify([customId, url, body]));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  const hash = Array.from(digest.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const draws = DRAWN.includes(url) && (body.seed ?? -1) === -1 && body.temperature !== 0;
  const seed = new DataView(digest.buffer).getUint32(12) >>> 1;
  const sent = { ...body, ...(draws && { seed }), ...(url === "/v1/responses" && { store: false }) };
  return { ...request, hash, sent };
}

/** The ids that OpenAI's answers begin with. */
const PREFIXES: Readonly<Record<string, string>> = {
  "/v1/chat/completions": "chatcmpl-",
  "/v1/completions": "cmpl-",
  "/v1/responses": "resp_",
};

/** Times, in OpenAI's names; they become 0. */
const TIMES = ["created", "created_at", "completed_at"];

/**
 * The same answer without what depends on when and by whom it was computed: ids follow from the request, times are 0,
 * llama-server's `timings` go, and no token counts as cached or drafted, as when the request is a server's first.
 */
export function stableBody(body: unknown, { url, hash }: IdentifiedRequest): unknown {
  if (!isObject(body)) return body;
  const { timings: _, ...rest } = body;
  const stable: Record<string, unknown> = { ...rest };
  if (typeof body.id === "string") stable.id = `${PREFIXES[url] ?? ""}${hash}`;
  for (const name of TIMES) if (typeof body[name] === "number") stable[name] = 0;
  if (isObject(body.usage)) stable.usage = stableUsage(body.usage);
  if (Array.isArray(body.choices))
    stable.choices = body.choices.map((choice, i) => stableChoice(choice, `${hash}_${i}`));
  if (Array.isArray(body.output)) stable.output = body.output.map((item, i) => stableItem(item, `${hash}_${i}`));
  return stable;
}

function stableUsage(usage: BatchBody): BatchBody {
  const stable: Record<string, unknown> = { ...usage };
  for (const name of ["prompt_tokens_details", "input_tokens_details"]) {
    const details = usage[name];
    if (isObject(details) && "cached_tokens" in details) stable[name] = { ...details, cached_tokens: 0 };
  }
  const details = usage.completion_tokens_details;
  if (!isObject(details)) return stable;
  const { accepted_prediction_tokens: _, rejected_prediction_tokens: __, ...rest } = details;
  if (Object.keys(rest).length > 0) stable.completion_tokens_details = rest;
  else delete stable.completion_tokens_details;
  return stable;
}

function stableChoice(choice: unknown, hash: string): unknown {
  if (!isObject(choice) || !isObject(choice.message) || !Array.isArray(choice.message.tool_calls)) return choice;
  const calls = choice.message.tool_calls.map((call, i) =>
    isObject(call) && typeof call.id === "string" ? { ...call, id: `call_${hash}_${i}` } : call,
  );
  return { ...choice, message: { ...choice.message, tool_calls: calls } };
}

/** An item of /v1/responses. The kind of its id, such as `msg`, stays. */
function stableItem(item: unknown, hash: string): unknown {
  if (!isObject(item)) return item;
  return {
    ...item,
    ...(typeof item.id === "string" && { id: `${/^[a-z]+/.exec(item.id)?.[0] ?? "item"}_${hash}` }),
    ...(typeof item.call_id === "string" && { call_id: `call_${hash}` }),
  };
}
