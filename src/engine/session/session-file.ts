/**
 * A session as bytes, little-endian: a header of 16 words (u32), the scales of adapters, the token ids, full pages of the
 * key-value cache, and the state of recurrent layers after them, if the model has such layers. Tokens behind the saved
 * pages are computed again, because a page that is not full may also hold the values of other sequences.
 *
 * | word | value |
 * |---|---|
 * | 0, 1 | "NIBS", version |
 * | 2 to 5 | the model's fingerprint |
 * | 6, 7 | bytes and tokens of a page |
 * | 8 | token ids |
 * | 9 to 12 | fingerprint of scales, ids and pages |
 * | 13 | scales (f32), 0 where no adapter is applied |
 * | 14, 15 | tokens of the saved pages, bytes of the state |
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { fingerprint } from "../../runtime/fingerprint.ts";
import type { AdapterScales, Executor } from "../../runtime/types.ts";
import { SIGNATURE_BYTES } from "./signature.ts";

const MAGIC = 0x5342494e; // "NIBS"
/** Version 2: keys and values of `mixed` and `int8` caches are rotated (assembly/kernels/hadamard.ts); words 14 and 15. */
const VERSION = 2;
const HEADER_WORDS = 16;
const MAX_SCALES = 1024;

export interface SavedSession {
  readonly tokens: readonly number[];
  readonly adapters: AdapterScales | undefined;
  /** Tokens of the saved pages. */
  readonly savedLength: number;
  /** What `Sequence.savePages` gave. */
  readonly pages: Uint8Array;
}

type Facts = Pick<Executor, "fingerprint" | "pageBytes" | "pageTokens" | "stateBytes" | "contextLength" | "vocabSize">;

export function encodeSession(
  { tokens, adapters = [], savedLength, pages }: SavedSession,
  executor: Facts,
): Uint8Array {
  const start = HEADER_WORDS + adapters.length;
  const bytes = new Uint8Array((start + tokens.length) * 4 + pages.length);
  const words = new Uint32Array(bytes.buffer);
  words.set([MAGIC, VERSION]);
  words.set(executor.fingerprint(), 2);
  words.set([executor.pageBytes, executor.pageTokens, tokens.length], 6);
  words.set([adapters.length, savedLength, executor.stateBytes], 13);
  new Float32Array(bytes.buffer).set(adapters, HEADER_WORDS);
  words.set(tokens, start);
  bytes.set(pages, (start + tokens.length) * 4);
  words.set(fingerprint([words.subarray(HEADER_WORDS)]), 9);
  return bytes;
}

/**
 * Reads a saved session. Everything is checked before anything but the ids is allocated.
 * @throws NibbleError `bad_magic`, `unsupported_version`, `truncated`, `limit_exceeded`; `bad_value` for a session of
 * another model or kind of cache, and for bytes that have changed
 */
export function decodeSession(source: Uint8Array, executor: Facts): SavedSession {
  // Words need an aligned start, and shared memory could change while it is read: then a copy is read.
  const aligned = source.byteOffset % 4 === 0 && source.buffer instanceof ArrayBuffer;
  const expected = (what: string, got: unknown) => `expected ${what}, got ${got}`;
  if (source.length < HEADER_WORDS * 4) {
    throw new NibbleError("truncated", expected(`a session of at least ${HEADER_WORDS * 4} bytes`, source.length));
  }
  const header = new Uint32Array(source.slice(0, HEADER_WORDS * 4).buffer);
  const [magic, version] = header;
  if (magic !== MAGIC)
    throw new NibbleError("bad_magic", expected("a saved session", `bytes that begin ${hex(magic!)}`));
  if (version !== VERSION)
    throw new NibbleError("unsupported_version", expected(`a session of version ${VERSION}`, version));
  const [pageBytes, pageTokens, count] = header.subarray(6) as unknown as [number, number, number];
  if (count > executor.contextLength) {
    const most = `at most ${executor.contextLength} tokens (contextLength)`;
    throw new NibbleError("limit_exceeded", expected(most, `a session of ${count}`));
  }
  if (pageBytes !== executor.pageBytes || pageTokens !== executor.pageTokens) {
    const got = `${pageBytes} bytes for ${pageTokens}`;
    const what = `cache pages of ${executor.pageBytes} bytes for ${executor.pageTokens} tokens (kvType)`;
    throw new NibbleError("bad_value", expected(what, got));
  }
  if (!equal(header.subarray(2, 6), executor.fingerprint()))
    throw new NibbleError("bad_value", "expected a session of this model, got one of another");
  const scales = header[13]!;
  if (scales > MAX_SCALES) throw new NibbleError("limit_exceeded", expected(`at most ${MAX_SCALES} adapters`, scales));
  const start = HEADER_WORDS + scales;
  const full = count - (count % pageTokens);
  const [savedLength, stateBytes] = header.subarray(14) as unknown as [number, number];
  if (stateBytes !== executor.stateBytes)
    throw new NibbleError("bad_value", expected(`a state of ${executor.stateBytes} bytes`, stateBytes));
  if (savedLength % pageTokens !== 0 || savedLength > full)
    throw new NibbleError("bad_value", expected(`whole pages of at most ${count} tokens`, savedLength));
  const size = (start + count) * 4 + (savedLength / pageTokens) * pageBytes + (savedLength > 0 ? stateBytes : 0);
  // A signature may follow, which `verified` looks at.
  if (source.length !== size && source.length !== size + SIGNATURE_BYTES)
    throw new NibbleError("truncated", expected(`${size} bytes of a session with ${count} tokens`, source.length));

  const bytes = aligned ? source : source.slice();
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, size / 4).subarray(HEADER_WORDS);
  if (!equal(header.subarray(9, 13), fingerprint([words])))
    throw new NibbleError("bad_value", "expected a session as it was saved, got one whose bytes have changed");
  const tokens = Array.from(words.subarray(scales, scales + count));
  const wrong = tokens.find((id) => id >= executor.vocabSize);
  if (wrong !== undefined)
    throw new NibbleError("bad_value", expected(`token ids from 0 to ${executor.vocabSize - 1}`, wrong));
  const adapters = Array.from(new Float32Array(words.buffer, words.byteOffset, scales));
  if (!adapters.every(Number.isFinite)) throw new NibbleError("bad_value", expected("finite scales", `[${adapters}]`));
  return {
    tokens,
    adapters: scales > 0 ? adapters : undefined,
    savedLength,
    pages: bytes.subarray((start + count) * 4, size),
  };
}

function equal(a: Uint32Array, b: Uint32Array): boolean {
  return a.every((word, i) => word === b[i]);
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}
