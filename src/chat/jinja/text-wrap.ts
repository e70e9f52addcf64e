/**
 * Python's `textwrap.wrap` for one line, as the `wordwrap` filter uses it.
 * @module
 */
import type { Budget } from "./budget.ts";
import { charactersIn, sliceCharacters } from "./code-points.ts";
import { fail } from "./errors.ts";

interface WrapOptions {
  readonly width: number;
  readonly breakLongWords: boolean;
  readonly breakOnHyphens: boolean;
}

const WORD = "[\\p{L}\\p{N}_!\"'&.,?]";
const LETTER = "\\p{L}";
/** Matches words and white space. Words are cut after hyphens between letters, and around dashes. */
const CHUNKS: RegExp = new RegExp(
  `[\\t-\\r ]+|(?<=${WORD})-{2,}(?=[\\p{L}\\p{N}_])|[^\\t-\\r ]+?(?:-(?:(?<=${LETTER}{2}-)|(?<=${LETTER}-${LETTER}-))(?=${LETTER}-?${LETTER})|(?=[\\t-\\r ]|$)|(?<=${WORD})(?=-{2,}[\\p{L}\\p{N}_]))`,
  "gu",
);

/** The lines that a line is cut into. */
export function wrapLine(line: string, options: WrapOptions, budget: Budget): string[] {
  if (options.width <= 0) fail("wordwrap: the width must be positive");
  // The pattern looks ahead through the rest of a run of hyphens from each of its places.
  for (const [run] of line.matchAll(/-+/g)) budget.spend(run.length * run.length);
  budget.string(line.length);
  const chunks = (line.match(options.breakOnHyphens ? CHUNKS : /[\t-\r ]+|[^\t-\r ]+/g) ?? []).reverse();
  budget.list(chunks.length);
  const lines: string[] = [];
  while (chunks.length > 0) {
    const current = nextLine(chunks, lines.length > 0, options);
    if (isBlank(current.at(-1))) current.pop();
    if (current.length > 0) lines.push(current.join(""));
    budget.spend(1);
  }
  return lines;
}

/** Takes chunks from the end of the list until a line is full. A word longer than a line is cut, or has a line of its own. */
function nextLine(chunks: string[], later: boolean, { width, breakLongWords, breakOnHyphens }: WrapOptions): string[] {
  const current: string[] = [];
  let length = 0;
  if (later && isBlank(chunks.at(-1))) chunks.pop();
  while (chunks.length > 0 && length + charactersIn(chunks.at(-1)!) <= width) {
    length += charactersIn(chunks.at(-1)!);
    current.push(chunks.pop()!);
  }
  const long = chunks.at(-1);
  if (long === undefined || charactersIn(long) <= width) return current;
  if (!breakLongWords) {
    if (current.length === 0) current.push(chunks.pop()!);
    return current;
  }
  const room = width - length;
  let end = room;
  if (breakOnHyphens && charactersIn(long) > room) {
    const hyphen = sliceCharacters(long, 0, room).lastIndexOf("-");
    if (hyphen > 0 && /[^-]/.test(long.slice(0, hyphen))) end = charactersIn(long.slice(0, hyphen)) + 1;
  }
  current.push(sliceCharacters(long, 0, end));
  chunks[chunks.length - 1] = sliceCharacters(long, end);
  return current;
}

function isBlank(chunk: string | undefined): boolean {
  return chunk !== undefined && chunk.trim() === "";
}
