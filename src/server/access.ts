/**
 * Access: limits on headers, allowed hosts, API keys, and the origins whose pages may read answers (CORS).
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Settings } from "./options.ts";

/** Most bytes of the URL and all headers together: Node's own default. */
const MAX_HEADER_BYTES = 16 * 1024;

/** @throws NibbleError `too_large` */
export function checkHeaders({ headers, url }: Request): void {
  let size = url.length;
  for (const [name, value] of headers) size += name.length + value.length;
  if (size > MAX_HEADER_BYTES)
    throw new NibbleError("too_large", `headers: expected at most ${MAX_HEADER_BYTES} bytes, got ${size}`);
}

/**
 * Refuses names of other sites. A page can point its own name at this machine (DNS rebinding), and `Host` shows it.
 * @throws NibbleError `forbidden`
 */
export function checkHost({ hostname }: URL, { hosts }: Settings): void {
  if (!hosts || hosts.includes(hostname)) return;
  throw new NibbleError("forbidden", `host: expected ${hosts.join(" or ")}, got ${hostname}`);
}

/**
 * Compares digests, so that the time taken shows neither a key's length nor how much of it was right.
 * @returns a check that throws NibbleError `unauthorized`, and resolves to the caller: the digest of the request's key in
 * hexadecimal digits, or undefined where all callers have the same key or none
 */
export function keyCheck({ apiKeys }: Settings): (request: Request) => Promise<string | undefined> {
  let known: Promise<Uint8Array[]> | undefined; // made by the first request: Workers refuse to compute outside of one
  return async ({ headers }) => {
    if (apiKeys.length === 0) return undefined;
    const bearer = /^Bearer (.+)$/i.exec(headers.get("authorization") ?? "")?.[1];
    // Anthropic's header, and Azure's.
    const given = bearer ?? headers.get("x-api-key") ?? headers.get("api-key") ?? "";
    known ??= Promise.all(apiKeys.map((key) => sha256(new TextEncoder().encode(key))));
    const digest = await sha256(bytesOf(given));
    let matches = 0;
    for (const key of await known) matches |= Number(equalDigests(digest, key));
    if (matches === 0)
      throw new NibbleError("unauthorized", given ? "the API key is not valid" : "an API key is required");
    return new Set(apiKeys).size > 1 ? hexadecimal(digest) : undefined;
  };
}

/** The bytes of a header's value, of which `Headers` makes one character each. Clients send keys in UTF-8. */
function bytesOf(value: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(value, (character) => character.charCodeAt(0));
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function equalDigests(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** Headers that let a page of this origin read the answer; without `cors`, none. */
export function corsHeaders({ headers }: Request, { cors }: Settings): Record<string, string> {
  const origin = headers.get("origin");
  if (cors === "*") return { "access-control-allow-origin": "*" };
  if (cors.length === 0) return {};
  const allowed = origin !== null && cors.includes(origin);
  return { vary: "origin", ...(allowed && { "access-control-allow-origin": origin }) };
}

/** Headers that tell a page of an allowed origin what it may send. */
export function preflightHeaders(request: Request): Record<string, string> {
  const asked = request.headers.get("access-control-request-headers");
  return {
    "access-control-allow-methods": "GET, HEAD, POST, DELETE",
    // Clients add headers of their own (x-stainless-*). All are allowed, because none of them is trusted.
    ...(asked && { "access-control-allow-headers": asked }),
    "access-control-max-age": "86400",
  };
}
