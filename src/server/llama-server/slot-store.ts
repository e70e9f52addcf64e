/**
 * The store of saved slots.
 * @module
 */

/** A folder or a bucket. Names consist of letters, digits, dots, dashes and underscores. */
export interface SlotStore {
  /** Resolves to undefined if there is nothing of this name. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Stores bytes under a name; older ones are replaced. */
  write(name: string, bytes: Uint8Array): Promise<void>;
}
