/**
 * Mutations of GGUF by its fields (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). The fields are found by a
 * walk of our own over good files, independent of the library's reader.
 * @module
 */
import type { Random } from "../../helpers/random.ts";
import { mutateBytes } from "./bytes.ts";
import { type Edit, edit } from "./edits.ts";
import { floatBytes, integerBytes, pick, someText } from "./numbers.ts";

type Kind = "integer" | "float" | "text" | "type";

interface Field {
  readonly at: number;
  readonly bytes: number;
  readonly kind: Kind;
}

/** A key with its value, or the description of a tensor. */
interface Entry {
  readonly of: "key" | "tensor";
  readonly start: number;
  readonly end: number;
  readonly fields: readonly Field[];
}

const WIDTHS: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
const TEXT = 8;
const LIST = 9;

class Walk {
  readonly entries: Entry[] = [];
  #at = 24;
  #fields: Field[] = [];
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const [tensors, keys] = [this.#view.getUint32(8, true), this.#view.getUint32(16, true)];
    for (let i = 0; i < keys; i++) this.#entry("key", () => this.#key());
    for (let i = 0; i < tensors; i++) this.#entry("tensor", () => this.#tensor());
  }

  get end(): number {
    return this.#at;
  }

  #entry(of: Entry["of"], read: () => void): void {
    const start = this.#at;
    this.#fields = [];
    read();
    this.entries.push({ of, start, end: this.#at, fields: this.#fields });
  }

  #field(bytes: number, kind: Kind): number {
    const { length } = this.#fields;
    // Of long lists the first elements stand for all.
    if (length < 64) this.#fields.push({ at: this.#at, bytes, kind });
    const value = bytes < 4 ? 0 : this.#view.getUint32(this.#at, true);
    this.#at += bytes;
    return value;
  }

  #text(): void {
    const length = this.#view.getUint32(this.#at, true);
    this.#field(8, "integer");
    this.#at -= 8;
    this.#field(8 + length, "text");
  }

  #value(type: number): void {
    if (type === TEXT) this.#text();
    else if (type === LIST) {
      const of = this.#field(4, "type");
      const count = this.#field(8, "integer");
      for (let i = 0; i < count; i++) this.#value(of);
    } else if (WIDTHS[type] === undefined) throw new RangeError(`no value type ${type}`);
    else this.#field(WIDTHS[type], type === 6 || type === 12 ? "float" : "integer");
  }

  #key(): void {
    this.#text();
    this.#value(this.#field(4, "type"));
  }

  #tensor(): void {
    this.#text();
    const dimensions = this.#field(4, "integer");
    for (let i = 0; i < dimensions; i++) this.#field(8, "integer");
    this.#field(4, "type");
    this.#field(8, "integer");
  }
}

function changed(bytes: Uint8Array, { at, bytes: width, kind }: Field, random: Random): Edit {
  const old = bytes.subarray(at, at + width);
  if (kind === "float") return edit(at, width, floatBytes(random, width));
  if (kind === "type") return edit(at, width, Uint8Array.of(random.integer(0, 45), 0, 0, 0));
  if (kind === "integer") return edit(at, width, integerBytes(random, old));
  const text = Buffer.from(someText(random, new TextDecoder().decode(old.subarray(8))));
  const length = Buffer.alloc(8);
  length.writeUInt32LE(text.length);
  return edit(at, width, Buffer.concat([length, text]));
}

/** An entry removed, doubled or moved, with a count that says so most of the time. */
function rearranged(bytes: Uint8Array, entries: readonly Entry[], random: Random): Edit[] {
  const one = pick(random, entries);
  const same = entries.filter(({ of }) => of === one.of);
  const text = bytes.subarray(one.start, one.end);
  const counter = one.of === "tensor" ? 8 : 16;
  const count = (change: number): Edit[] =>
    random.integer(0, 9) === 0 ? [] : [edit(counter, 4, new Uint8Array(Uint32Array.of(same.length + change).buffer))];
  const other = pick(random, same);
  switch (random.integer(0, 3)) {
    case 0:
      return [...count(-1), edit(one.start, text.length)];
    case 1:
      return [...count(1), edit(other.start, 0, text)];
    case 2:
      return [
        edit(one.start, text.length),
        edit(other.start > one.start ? other.start - text.length : other.start, 0, text),
      ];
    default: {
      // A value of another type under the same key.
      const type = random.integer(0, 12);
      const value = Buffer.concat([Buffer.from([type, 0, 0, 0]), Buffer.from(random.bytes(WIDTHS[type] ?? 12))]);
      const field = one.fields.find(({ kind }) => kind === "type");
      return one.of === "key" && field
        ? [edit(field.at, one.end - field.at, value)]
        : [...count(-1), edit(one.start, text.length)];
    }
  }
}

/** Weights and scales of any value, in their places. */
function changedWeights(bytes: Uint8Array, from: number, random: Random): Edit[] {
  const at = random.integer(from, bytes.length - 1);
  const width = Math.min(bytes.length - at, pick(random, [1, 2, 4]));
  if (width === 4 && random.integer(0, 1) === 0) return [edit(at & ~3, 4, floatBytes(random, 4))];
  return [edit(at, width, random.bytes(width))];
}

export function mutateGguf(bytes: Uint8Array, random: Random): Edit[] {
  let walk: Walk;
  try {
    walk = new Walk(bytes);
  } catch {
    return mutateBytes(bytes, random, 65536);
  }
  const { entries, end } = walk;
  const how = random.integer(0, 9);
  if (entries.length === 0 || how === 0) return mutateBytes(bytes, random, end);
  if (how === 1) return [changed(bytes, { at: pick(random, [4, 8, 16]), bytes: 4, kind: "integer" }, random)];
  if (how <= 3) return changedWeights(bytes, end, random);
  if (how === 4) return rearranged(bytes, entries, random);
  const entry = pick(random, entries);
  return [changed(bytes, pick(random, entry.fields), random)];
}
