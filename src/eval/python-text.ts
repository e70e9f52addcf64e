/**
 * Texts as Python's `str` methods and regular expressions take them, where JavaScript's differ.
 * @module
 */

/** White space for Python and not for JavaScript: the separators of files, groups, records and units, and NEL. */
const PYTHON_SPACE = "\x1c\x1d\x1e\x1f\x85";
/** The byte order mark is white space for JavaScript, and not for Python. */
const BYTE_ORDER_MARK = "\ufeff";

/** Whether a character is white space for Python's `isspace`. */
export function isPythonSpace(char: string): boolean {
  return PYTHON_SPACE.includes(char) || (char.trim() === "" && char !== BYTE_ORDER_MARK);
}

/** Python's `strip`. */
export function strip(text: string): string {
  const rest = rstrip(text);
  let start = 0;
  while (start < rest.length && isPythonSpace(rest[start]!)) start++;
  return rest.slice(start);
}

/** Python's `rstrip`. */
export function rstrip(text: string): string {
  let end = text.length;
  while (end > 0 && isPythonSpace(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** The characters of Python's `\w`, for the inside of a class. */
export const WORD = "\\p{L}\\p{N}_";
