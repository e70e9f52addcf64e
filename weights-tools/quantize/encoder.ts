/**
 * What all block encoders take.
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
  /** How much the squared error of each column counts. */
  readonly importance: Float32Array | undefined;
  /** The column of the block's first value. */
  column: number;
}

/** Encodes one block: writes all its bytes. */
export type BlockEncoder = (block: ValuesOfBlock) => void;
