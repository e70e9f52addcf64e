/**
 * Signatures of saved sessions: HMAC-SHA256 (RFC 2104, FIPS 198-1), behind the bytes that they sign. A signature says that
 * somebody with the key has computed the keys and values; their checksum only finds damage, and anyone can make one.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { invalid } from "../../base/fields.ts";

/** A secret of at least 32 bytes, or an HMAC key of WebCrypto with SHA-256 that may sign and verify. */
export type SessionKey = Uint8Array | CryptoKey;

/** Bytes of a signature. */
export const SIGNATURE_BYTES = 32;
const MIN_KEY_BYTES = 32;
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** The bytes with their signature behind them. @throws NibbleError `invalid_argument` for a key that is none */
export async function signed(bytes: Uint8Array, key: SessionKey): Promise<Uint8Array> {
  const signature = await crypto.subtle.sign("HMAC", await hmacKey(key), bytes as Uint8Array<ArrayBuffer>);
  const result = new Uint8Array(bytes.length + SIGNATURE_BYTES);
  result.set(bytes);
  result.set(new Uint8Array(signature), bytes.length);
  return result;
}

/**
 * A copy of the bytes without their signature, which is right. They are copied first, since others may change them
 * meanwhile. WebCrypto compares in constant time.
 * @throws NibbleError `bad_value` for bytes that this key did not sign; `invalid_argument` for a key that is none
 */
export async function verified(source: Uint8Array, key: SessionKey): Promise<Uint8Array> {
  const all = new Uint8Array(source);
  const end = Math.max(0, all.length - SIGNATURE_BYTES);
  const [bytes, signature] = [all.subarray(0, end), all.subarray(end)];
  const right = await crypto.subtle.verify("HMAC", await hmacKey(key), signature, bytes);
  if (right) return bytes;
  throw new NibbleError("bad_value", "expected a session that was signed with this key, got one that was not");
}

async function hmacKey(key: unknown): Promise<CryptoKey> {
  if (key instanceof Uint8Array && key.length >= MIN_KEY_BYTES)
    return crypto.subtle.importKey("raw", new Uint8Array(key), HMAC, false, ["sign", "verify"]);
  if (isHmacKey(key)) return key;
  const got = key instanceof Uint8Array ? `${key.length} bytes` : key;
  const expected = `a Uint8Array of at least ${MIN_KEY_BYTES} bytes, or a CryptoKey for HMAC with SHA-256 that may sign and verify`;
  throw invalid("key", expected, got, "invalid_argument");
}

function isHmacKey(key: unknown): key is CryptoKey {
  if (typeof CryptoKey !== "function" || !(key instanceof CryptoKey)) return false;
  const { name, hash } = key.algorithm as HmacKeyAlgorithm;
  const uses = (["sign", "verify"] as const).every((use) => key.usages.includes(use));
  return name === "HMAC" && hash.name === "SHA-256" && uses;
}
