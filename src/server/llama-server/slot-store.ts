/**
 * Where saved slots are kept.
 * @module
 */

/** A folder or a bucket. Names consist of letters, digits, dots, dashes and underscores. */
export interface SlotStore {
  /** Resolves to undefined if there is nothing of this name. */
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
}
