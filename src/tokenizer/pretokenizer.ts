/**
 * Pre-tokenization: text is cut into pieces, and byte-pair merging never crosses the border of a piece.
 * @module
 */
import type { Scanner } from "./scanners.ts";

/** One stage of cutting. It runs inside every piece that the stage before it left. */
export interface Stage {
  /** Where pieces end. Without it, each piece stays whole. */
  readonly scan?: Scanner;
  /** Where the text ends that is left out between pieces. Without it, nothing is. */
  readonly skip?: Scanner;
  /**
   * Puts a space in front of a piece that does not begin with one (`add_prefix_space`): of every piece, or only of the
   * piece that begins a text.
   */
  readonly prefixSpace?: "always" | "first";
}

/** Published tokenizers have up to four. */
export const MAX_STAGES = 16;

/** Receives the piece `text[start..end)`. */
export type PieceVisitor = (text: string, start: number, end: number) => void;

/**
 * Calls `visit` for every piece of `text`, in order.
 * @param isFirst whether nothing stands before `text`
 */
export function forEachPiece(stages: readonly Stage[], text: string, isFirst: boolean, visit: PieceVisitor): void {
  if (text === "") return;
  let first = isFirst;
  /** Applies the stages from `depth` on. The recursion is at most `MAX_STAGES` deep. */
  const cut = (depth: number, piece: string, start: number, end: number): void => {
    const stage = stages[depth];
    if (stage === undefined) {
      first = false;
      visit(piece, start, end);
      return;
    }
    const prefixes = stage.prefixSpace === "always" || (stage.prefixSpace === "first" && first);
    if (prefixes && piece[start] !== " ") {
      piece = ` ${piece.slice(start, end)}`;
      start = 0;
      end = piece.length;
    }
    while ((start = stage.skip?.(piece, start, end) ?? start) < end) {
      const stop = stage.scan?.(piece, start, end) ?? end;
      cut(depth + 1, piece, start, stop);
      start = stop;
    }
  };
  cut(0, text, 0, text.length);
}
