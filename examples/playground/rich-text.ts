/**
 * Parses the Markdown and LaTeX that small models write: fenced code, `code`, **bold**, \boxed{answer}. All other text
 * is shown as it is.
 * @module
 */
export interface Block {
  readonly kind: "text" | "code";
  readonly text: string;
  /** The place where it begins. The last block may still change. */
  readonly start: number;
}

export interface Inline {
  readonly kind: "text" | "code" | "bold" | "boxed";
  readonly text: string;
}

const EMPTY_LINES = /^(?:[ \t]*\n)+/;
const FENCE = /^[ \t]*```([^`\n]*)(?:\n|$)/;
const FENCE_END = /\n[ \t]*```[ \t]*(?:\n|$)/g;
/** The end of a text: an empty line, or a line that opens a fence. */
const TEXT_END = /\n[ \t]*\n\s*|\n(?=[ \t]*```)/g;

/** The blocks of `text` from `start` on, where a block begins. */
export function blocksOf(text: string, start = 0): Block[] {
  const blocks: Block[] = [];
  while (start < text.length) {
    const all = text.slice(start);
    const rest = all.replace(EMPTY_LINES, "");
    start += all.length - rest.length;
    const fence = FENCE.exec(rest);
    const begin = fence ? fence[0].length : 0;
    const end = fence ? FENCE_END : TEXT_END;
    end.lastIndex = Math.max(0, begin - 1); // an empty fence ends at the line break that opens it
    const found = end.exec(rest);
    const inside = rest.slice(begin, found?.index ?? rest.length);
    if (fence || inside !== "") blocks.push({ kind: fence ? "code" : "text", text: inside, start });
    if (!found) break;
    start += found.index + found[0].length;
  }
  return blocks;
}

const INLINE = /`([^`\n]+)`|\*\*(?=\S)([^*\n]+)(?<=\S)\*\*|\\boxed\{([^{}\n]*)\}/g;
/** The beginning of a box at the end of the text so far. */
const OPEN_BOX = /\\(?:b(?:o(?:x(?:e(?:d(?:\{[^{}\n]{0,100})?)?)?)?)?)?$/;

/** @param more whether text may follow: the beginning of a box is then held back */
export function inlinesOf(text: string, more: boolean): Inline[] {
  const shown = more ? text.replace(OPEN_BOX, "") : text;
  const inlines: Inline[] = [];
  let at = 0;
  for (const match of shown.matchAll(INLINE)) {
    if (match.index > at) inlines.push({ kind: "text", text: shown.slice(at, match.index) });
    const [all, code, bold, boxed] = match;
    if (code !== undefined) inlines.push({ kind: "code", text: code });
    else if (bold !== undefined) inlines.push({ kind: "bold", text: bold });
    else inlines.push({ kind: "boxed", text: boxed! });
    at = match.index + all.length;
  }
  if (at < shown.length) inlines.push({ kind: "text", text: shown.slice(at) });
  return inlines;
}
