/**
 * Metadata of a GGUF file, whose arrays of strings stay bytes until somebody asks for strings: the vocabulary is most of
 * a header, and the tokenizer takes the bytes.
 * @module
 */

import type { Metadata, MetadataValue } from "../checkpoint.ts";
import { StringTable } from "../string-table.ts";
import { getStrings } from "../typed-values.ts";

export class GgufMetadata extends Map<string, MetadataValue> {
  /** Of each key here the map's own value is an empty list, which keeps its place in the order. */
  readonly #packed = new Map<string, StringTable>();

  setStrings(key: string, strings: StringTable): void {
    super.set(key, []);
    this.#packed.set(key, strings);
  }

  /** The strings under `key`, while they are bytes. */
  packed(key: string): StringTable | undefined {
    return this.#packed.get(key);
  }

  /** Forgets the strings that nobody has asked for: their keys are gone. */
  dropPacked(): void {
    for (const key of this.#packed.keys()) super.delete(key);
    this.#packed.clear();
  }

  /** Makes strings of all of them, so that the map is like any other: also for structuredClone and console.log. */
  unpack(): this {
    for (const key of this.#packed.keys()) this.#unpack(key);
    return this;
  }

  override get(key: string): MetadataValue | undefined {
    this.#unpack(key);
    return super.get(key);
  }

  override entries(): MapIterator<[string, MetadataValue]> {
    this.unpack();
    return super.entries();
  }

  override values(): MapIterator<MetadataValue> {
    this.unpack();
    return super.values();
  }

  override forEach(callback: (value: MetadataValue, key: string, map: Map<string, MetadataValue>) => void): void {
    for (const [key, value] of this) callback(value, key, this);
  }

  override [Symbol.iterator](): MapIterator<[string, MetadataValue]> {
    return this.entries();
  }

  #unpack(key: string): void {
    const strings = this.#packed.get(key);
    if (strings === undefined) return;
    this.#packed.delete(key);
    super.set(key, strings.toStrings());
  }
}

/** An array of strings as bytes, or undefined if the key is missing. @throws NibbleError `bad_type` */
export function getStringTable(metadata: Metadata, key: string): StringTable | undefined {
  const packed = metadata instanceof GgufMetadata ? metadata.packed(key) : undefined;
  if (packed !== undefined) return packed;
  const strings = getStrings(metadata, key);
  return strings && StringTable.of(strings);
}
