/**
 * Reads the one string that a pickle holds. A pickle is a program for a machine that can call any function of Python; here
 * only the opcodes that spell a single string are read, and every other one is refused by its name. Nothing is run.
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 * @module
 */
import { NibbleError } from "../../base/errors.ts";

/** The opcodes that are read. Those without a handler below are passed over: they say nothing about the string. */
const PROTO = 0x80;
const FRAME = 0x95;
const MEMOIZE = 0x94;
const BINPUT = 0x71;
const LONG_BINPUT = 0x72;
const PUT = 0x70;
const STOP = 0x2e;
const UNICODE = 0x56;
/** Opcodes of a string in UTF-8, and the bytes of its length, which is little-endian. */
const STRINGS: Readonly<Record<number, number>> = { 140: 1, 88: 4, 141: 8 };
/** The bytes of the argument of opcodes that are passed over. */
const SKIPPED: Readonly<Record<number, number>> = { [FRAME]: 8, [MEMOIZE]: 0, [BINPUT]: 1, [LONG_BINPUT]: 4 };
const LAST_PROTOCOL = 5;

/** Names of the opcodes that are refused, for errors. */
const NAMES: Readonly<Record<string, string>> = {
  "(": "MARK",
  "0": "POP",
  "1": "POP_MARK",
  "2": "DUP",
  B: "BINBYTES",
  C: "SHORT_BINBYTES",
  F: "FLOAT",
  G: "BINFLOAT",
  I: "INT",
  J: "BININT",
  K: "BININT1",
  L: "LONG",
  M: "BININT2",
  N: "NONE",
  P: "PERSID",
  Q: "BINPERSID",
  R: "REDUCE",
  S: "STRING",
  T: "BINSTRING",
  U: "SHORT_BINSTRING",
  "]": "EMPTY_LIST",
  a: "APPEND",
  b: "BUILD",
  c: "GLOBAL",
  d: "DICT",
  e: "APPENDS",
  g: "GET",
  h: "BINGET",
  i: "INST",
  j: "LONG_BINGET",
  l: "LIST",
  o: "OBJ",
  s: "SETITEM",
  t: "TUPLE",
  u: "SETITEMS",
  "}": "EMPTY_DICT",
  ")": "EMPTY_TUPLE",
  "\x81": "NEWOBJ",
  "\x82": "EXT1",
  "\x83": "EXT2",
  "\x84": "EXT4",
  "\x85": "TUPLE1",
  "\x86": "TUPLE2",
  "\x87": "TUPLE3",
  "\x88": "NEWTRUE",
  "\x89": "NEWFALSE",
  "\x8a": "LONG1",
  "\x8b": "LONG4",
  "\x8e": "BINBYTES8",
  "\x8f": "EMPTY_SET",
  "\x90": "ADDITEMS",
  "\x91": "FROZENSET",
  "\x92": "NEWOBJ_EX",
  "\x93": "STACK_GLOBAL",
  "\x96": "BYTEARRAY8",
  "\x97": "NEXT_BUFFER",
  "\x98": "READONLY_BUFFER",
};

/** @throws NibbleError `bad_value` for anything but a single string; `truncated` */
export function readPickledString(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (count: number): Uint8Array => {
    if (count > bytes.length - at)
      throw new NibbleError("truncated", `pickle: expected ${count} bytes at ${at}, got ${bytes.length - at}`);
    at += count;
    return bytes.subarray(at - count, at);
  };
  const line = (): Uint8Array => {
    const end = bytes.indexOf(0x0a, at);
    const content = take((end < 0 ? bytes.length : end) - at);
    take(1);
    return content;
  };
  const refuse = (what: string): NibbleError =>
    new NibbleError("bad_value", `pickle: ${what}; only a single string is read, and nothing is ever run`);
  let text: string | undefined;
  for (;;) {
    const start = at;
    const opcode = take(1)[0]!;
    const sizeBytes = STRINGS[opcode];
    if (opcode === STOP) {
      if (text === undefined) throw refuse("it ends without a string");
      if (at < bytes.length) throw refuse(`${bytes.length - at} bytes follow its end`);
      return text;
    }
    if (sizeBytes !== undefined || opcode === UNICODE) {
      if (text !== undefined) throw refuse(`a second string at byte ${start}`);
      text = sizeBytes === undefined ? unescaped(line()) : utf8(take(lengthOf(view, take(sizeBytes))));
    } else if (opcode === PROTO && start === 0) {
      const version = take(1)[0]!;
      if (version > LAST_PROTOCOL) throw refuse(`expected protocol 0 to ${LAST_PROTOCOL}, got ${version}`);
    } else if (opcode === PUT) line();
    else if (SKIPPED[opcode] !== undefined) take(SKIPPED[opcode]);
    else {
      const name = NAMES[String.fromCharCode(opcode)] ?? `0x${opcode.toString(16).padStart(2, "0")}`;
      throw refuse(`the opcode ${name} at byte ${start}`);
    }
  }
}

function lengthOf(view: DataView, { byteOffset, length }: Uint8Array): number {
  const at = byteOffset - view.byteOffset;
  if (length === 1) return view.getUint8(at);
  return length === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new NibbleError("bad_string", "pickle: the string is not UTF-8", { cause });
  }
}

/** Python's encoding `raw-unicode-escape`: Latin-1, in which other characters are `\uXXXX` or `\UXXXXXXXX`. */
function unescaped(bytes: Uint8Array): string {
  let latin1 = "";
  for (const byte of bytes) latin1 += String.fromCharCode(byte);
  return latin1.replace(/\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8}))|\\/g, (_, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? long ?? "110000", 16);
    if (code > 0x10ffff) throw new NibbleError("bad_string", "pickle: a backslash that escapes no character");
    return String.fromCodePoint(code);
  });
}
