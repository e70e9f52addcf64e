/**
 * Strict UTF-8.
 * @module
 */
import { NibbleError } from "../errors.ts";

// ignoreBOM: a byte order mark is text like any other (a token may be just that), not to be swallowed.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws NibbleError `bad_string` if the bytes are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new NibbleError("bad_string", `${what}: expected UTF-8 text, got other bytes`);
  }
}
