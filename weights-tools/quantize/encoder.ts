/**
 * The input of all block encoders.
 * @module
 */

/** Values to encode, and where their block goes. One record serves all blocks of a call, one after the other. */
export interface ValuesOfBlock {
  readonly values: Float32Array;
  /** Index in `values` of the block's first value. */
  from: number;
  readonly bytes: DataView;
  /** Offset in `bytes` of the block's first byte. */
  at: number;
  /** The weight of each column's squared error. */
  readonly importance: Float32Array | undefined;
  /** The column of the block's first value. */
  column: number;
}

/** Encodes one block: writes all its bytes. */
export type BlockEncoder = (block: ValuesOfBlock) => void;
