/** Writes GGUF files, correct or wrong on purpose: every field can be set. Independent of the project's own writer. */
import { GgufType } from "../../../src/formats/gguf/values.ts";

export { GgufType };

/** A growing little-endian byte string. */
export class Bytes {
  #bytes = new Uint8Array(1024);
  #length = 0;

  #room(count: number): DataView {
    if (this.#length + count > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#length += count;
    return new DataView(this.#bytes.buffer, this.#length - count, count);
  }
  get length(): number {
    return this.#length;
  }
  u8(value: number): this {
    this.#room(1).setUint8(0, value);
    return this;
  }
  u16(value: number): this {
    this.#room(2).setUint16(0, value, true);
    return this;
  }
  u32(value: number): this {
    this.#room(4).setUint32(0, value, true);
    return this;
  }
  f32(value: number): this {
    this.#room(4).setFloat32(0, value, true);
    return this;
  }
  f64(value: number): this {
    this.#room(8).setFloat64(0, value, true);
    return this;
  }
  u64(value: number | bigint): this {
    this.#room(8).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
    return this;
  }
  raw(bytes: Uint8Array): this {
    const view = this.#room(bytes.length);
    new Uint8Array(view.buffer, view.byteOffset, bytes.length).set(bytes);
    return this;
  }
  /** A u64 length, which may lie, and the text. */
  string(text: string | Uint8Array, length?: number | bigint): this {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    return this.u64(length ?? bytes.length).raw(bytes);
  }
  pad(alignment: number): this {
    while (this.#length % alignment !== 0) this.u8(0);
    return this;
  }
  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

export interface KeyValue {
  key: string | Uint8Array;
  keyLength?: number | bigint;
  type: number;
  /** Writes the value's bytes. */
  value: (bytes: Bytes) => void;
}

export interface Tensor {
  name: string | Uint8Array;
  nameLength?: number | bigint;
  /** Fastest dimension first, as in the file. */
  ne: (number | bigint)[];
  dimensions?: number;
  type?: number;
  offset?: number | bigint;
  /** Bytes in the data section; default: of an F32 tensor. */
  byteLength?: number;
}

export interface GgufFile {
  magic?: string;
  version?: number;
  tensorCount?: number | bigint;
  keyCount?: number | bigint;
  keys?: KeyValue[];
  tensors?: Tensor[];
  /** The alignment of the layout. It does not set `general.alignment`. */
  alignment?: number;
  /** Cut this many bytes off the end. */
  cut?: number;
}

export const key = {
  string: (name: string, text: string | Uint8Array): KeyValue => ({
    key: name,
    type: GgufType.STRING,
    value: (b) => b.string(text),
  }),
  u32: (name: string, value: number): KeyValue => ({ key: name, type: GgufType.U32, value: (b) => b.u32(value) }),
  u16: (name: string, value: number): KeyValue => ({ key: name, type: GgufType.U16, value: (b) => b.u16(value) }),
  f32: (name: string, value: number): KeyValue => ({ key: name, type: GgufType.F32, value: (b) => b.f32(value) }),
  bool: (name: string, value: number): KeyValue => ({ key: name, type: GgufType.BOOL, value: (b) => b.u8(value) }),
  u64: (name: string, value: number | bigint): KeyValue => ({
    key: name,
    type: GgufType.U64,
    value: (b) => b.u64(value),
  }),
  /** An array whose count may lie. */
  array: (name: string, type: number, count: number | bigint, elements: (bytes: Bytes) => void): KeyValue => ({
    key: name,
    type: GgufType.ARRAY,
    value: (b) => elements(b.u32(type).u64(count)),
  }),
  strings: (name: string, texts: readonly (string | Uint8Array)[]): KeyValue =>
    key.array(name, GgufType.STRING, texts.length, (b) => {
      for (const text of texts) b.string(text);
    }),
};

export function buildGguf(file: GgufFile = {}): Uint8Array {
  const { keys = [], tensors = [], alignment = 32 } = file;
  const header = new Bytes();
  header.raw(new TextEncoder().encode(file.magic ?? "GGUF")).u32(file.version ?? 3);
  header.u64(file.tensorCount ?? tensors.length).u64(file.keyCount ?? keys.length);
  for (const { key, keyLength, type, value } of keys) {
    header.string(key, keyLength).u32(type);
    value(header);
  }
  const data = new Bytes();
  for (const tensor of tensors) {
    header.string(tensor.name, tensor.nameLength).u32(tensor.dimensions ?? tensor.ne.length);
    for (const n of tensor.ne) header.u64(n);
    header.u32(tensor.type ?? 0).u64(tensor.offset ?? data.length);
    const byteLength = tensor.byteLength ?? 4 * tensor.ne.reduce<number>((product, n) => product * Number(n), 1);
    data.raw(new Uint8Array(byteLength)).pad(alignment);
  }
  const bytes = header.pad(alignment).raw(data.done()).done();
  return bytes.subarray(0, bytes.length - (file.cut ?? 0));
}
