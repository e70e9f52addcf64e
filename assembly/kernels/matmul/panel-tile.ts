import { META_BYTES } from "../../activations";
import { BLOCK, TILE_TOKENS } from "../../layout";

/** Bytes of a step, of the panel and of a tile of activations: four columns of i8, or two of i16. */
export const PANEL_STEP: usize = 64;
export const X_STEP: usize = 4 * TILE_TOKENS;

/** The operands of one call. They lie at the beginning of the matmul's scratch (matmul.ts). */
@unmanaged
export class PanelTile {
  /** f32: sixteen weight rows of each of `tokens` token rows, which are `dstStride` bytes apart. */
  dst: usize;
  dstStride: usize;
  /** Number of token rows that are in use: 1 to TILE_TOKENS. */
  tokens: i32;
  /** The codes (panel.ts). */
  panel: usize;
  /** f32 scales. */
  scales: usize;
  /** f32 minima, or 0. */
  minima: usize;
  /** The codes of the first token row at column `from`, in a tile of activations: digits, or i16. */
  x: usize;
  /** Bytes from the first digits to the second ones. */
  second: usize;
  /** The BlockMeta of the first token row at column `from`. */
  meta: usize;
  /** The first column of the panel. If it is not 0, dst holds the sums of the columns before it. */
  from: i32;
  /** Columns of the panel. */
  count: i32;
  /** Planes of the codes (weight-types.ts). A panel of i16 has no use for it. */
  planes: i32;
  /** Columns that share a scale: 16 or 32. */
  columnsPerScale: i32;

  /**
   * Takes the activations of a tile from column `from` and from token row `first` on.
   * @param tile a tile of quantised rows of `columns` columns   @param digits 1: int8 digits; 0: i16 codes
   */
  take(tile: usize, columns: i32, first: i32, digits: bool): void {
    const bytes = <usize>(TILE_TOKENS * columns);
    const before = <usize>(TILE_TOKENS * this.from);
    this.x = tile + <usize>(4 * first) + (digits ? before : 2 * (bytes + before));
    this.second = bytes;
    this.meta = tile + 4 * bytes + <usize>(((this.from / BLOCK) * TILE_TOKENS + first) * META_BYTES);
  }
}
