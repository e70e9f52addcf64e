/**
 * The keys that a kind of tokenizer adds to those that all have.
 * @module
 */
import type { MetadataValue } from "../../src/formats/checkpoint.ts";

/** The keys of one kind of tokenizer, and notes on facts that GGUF has no key for. */
export interface KindKeys {
  readonly metadata: readonly (readonly [string, MetadataValue])[];
  readonly notes: readonly string[];
  /** Whether GGUF has no name for the way in which text is cut, not even for one that comes close. */
  readonly isUnnamed?: boolean;
}
