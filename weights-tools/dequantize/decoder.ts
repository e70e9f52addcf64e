/**
 * The input of all block decoders.
 * @module
 */

/** One block as a file stores it, and where its values go. One record serves all blocks of a tensor, one after the other. */
export interface StoredBlock {
  readonly bytes: DataView;
  /** Offset in `bytes` of the block's first byte. */
  at: number;
  readonly values: Float32Array;
  /** Index in `values` of the block's first value. */
  to: number;
}

/** Decodes one block: writes all its values. */
export type BlockDecoder = (block: StoredBlock) => void;
