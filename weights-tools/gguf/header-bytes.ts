/**
 * A growing buffer of little-endian numbers and GGUF strings.
 * @module
 */
import type { MetadataValue } from "../../src/formats/checkpoint.ts";
import { GgufType } from "../../src/formats/gguf/values.ts";

/** The names of GGUF's number types. */
export type GgufNumberType = Exclude<keyof typeof GgufType, "BOOL" | "STRING" | "ARRAY">;

const text = new TextEncoder();

/** Each method appends a value. */
export class HeaderBytes {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): void {
    this.number("U8", value);
  }
  u32(value: number): void {
    this.number("U32", value);
  }
  u64(value: number): void {
    this.number("U64", value);
  }

  number(type: GgufNumberType, value: number): void {
    const at = this.#reserve(8);
    const view = this.#view;
    switch (type) {
      case "U8":
      case "I8":
        view.setUint8(at, value);
        this.#length += 1;
        break;
      case "U16":
      case "I16":
        view.setUint16(at, value, true);
        this.#length += 2;
        break;
      case "U32":
      case "I32":
        view.setUint32(at, value, true);
        this.#length += 4;
        break;
      case "F32":
        view.setFloat32(at, value, true);
        this.#length += 4;
        break;
      case "U64":
      case "I64":
        view.setBigInt64(at, BigInt(value), true);
        this.#length += 8;
        break;
      case "F64":
        view.setFloat64(at, value, true);
        this.#length += 8;
    }
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    this.#length += bytes.length;
  }

  /** A string: its length in bytes as u64, then UTF-8. */
  string(value: string): void {
    const bytes = text.encode(value);
    this.u64(bytes.length);
    this.bytes(bytes);
  }

  /** An array: its element type, the number of elements as u64, the elements. */
  array(values: Exclude<MetadataValue, number | string | boolean>): void {
    const type = elementType(values);
    this.u32(GgufType[type]);
    this.u64(values.length);
    for (const value of values) {
      if (typeof value === "string") this.string(value);
      else if (typeof value === "boolean") this.u8(Number(value));
      else this.number(type as GgufNumberType, value);
    }
  }

  /** Zeros up to a multiple of `alignment`. */
  padTo(alignment: number): void {
    this.bytes(new Uint8Array((alignment - (this.#length % alignment)) % alignment));
  }

  /** All bytes. Nothing may be appended afterwards. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room for `count` more bytes and returns the index to write them at. */
  #reserve(count: number): number {
    if (this.#length + count > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return this.#length;
  }
}

/** The element type of an array. An empty list counts as one of strings. */
function elementType(values: Exclude<MetadataValue, number | string | boolean>): keyof typeof GgufType {
  if (values instanceof Uint8Array) return "U8";
  if (values instanceof Int8Array) return "I8";
  if (values instanceof Uint16Array) return "U16";
  if (values instanceof Int16Array) return "I16";
  if (values instanceof Uint32Array) return "U32";
  if (values instanceof Int32Array) return "I32";
  if (values instanceof Float32Array) return "F32";
  if (values instanceof Float64Array) return "F64";
  return typeof values[0] === "boolean" ? "BOOL" : "STRING";
}
