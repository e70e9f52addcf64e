/**
 * Metadata of a GGUF file. Arrays of strings stay bytes until somebody asks for strings: the vocabulary is most of a
 * header, and the tokenizer takes its bytes.
 * @module
 */
import type { Metadata, MetadataValue } from "../checkpoint.ts";
import { StringTable } from "../string-table.ts";
import { getStrings } from "../typed-values.ts";

/** Metadata that decodes an array of strings only when it is read. */
export class GgufMetadata extends Map<string, MetadataValue> {
  /** The arrays that are still bytes. Until they are read, the map itself has an empty list under their keys, for the order. */
  readonly #packed = new Map<string, StringTable>();

  /** Sets an array of strings. */
  setStrings(key: string, strings: StringTable): void {
    super.set(key, []);
    this.#packed.set(key, strings);
  }

  /** The strings under `key`, if they are still bytes. */
  packed(key: string): StringTable | undefined {
    return this.#packed.get(key);
  }

  /** Deletes the keys whose strings nobody has asked for. */
  dropPacked(): void {
    for (const key of this.#packed.keys()) super.delete(key);
    this.#packed.clear();
  }

  /** Decodes all arrays of strings, so that structuredClone and console.log, which read a map directly, see them. */
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
