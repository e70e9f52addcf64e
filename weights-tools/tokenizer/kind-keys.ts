/**
 * What each kind of tokenizer adds to the keys that all have.
 * @module
 */
import type { MetadataValue } from "../../src/formats/checkpoint.ts";

/** The keys of one kind of tokenizer, and what GGUF cannot say about it. */
export interface KindKeys {
  readonly metadata: readonly (readonly [string, MetadataValue])[];
  readonly notes: readonly string[];
}
