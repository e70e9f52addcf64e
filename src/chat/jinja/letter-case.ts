/**
 * Capital and small letters, by Unicode's full mappings.
 * @module
 */

/** `str.capitalize`: the first character in title case, the others in lower case. */
export function capitalize(text: string): string {
  const first = String.fromCodePoint(text.codePointAt(0) ?? 0);
  return text === "" ? "" : titleCharacter(first) + lowerRest(text, first.length);
}

/** The text from a place on in lower case. The whole text decides which sigma is a final one. */
function lowerRest(text: string, from: number): string {
  const lowered = text.toLowerCase();
  const head = text.slice(0, from).toLowerCase();
  return lowered.startsWith(head) ? lowered.slice(head.length) : text.slice(from).toLowerCase();
}

/** The title case of a character: digraphs have one of their own, and sharp s becomes `Ss`. */
function titleCharacter(char: string): string {
  const upper = char.toUpperCase();
  if (/[\u01c4-\u01cc\u01f1-\u01f3]/.test(char))
    return upper === "\u01c4" ? "\u01c5" : upper === "\u01c7" ? "\u01c8" : upper === "\u01ca" ? "\u01cb" : "\u01f2";
  return upper.length > char.length && [...upper].length > 1
    ? [...upper][0]! + [...upper].slice(1).join("").toLowerCase()
    : upper;
}

export function titleCase(text: string): string {
  return text.replace(/[\p{Cased}][\p{Cased}\p{M}]*/gu, (word) => {
    const first = String.fromCodePoint(word.codePointAt(0)!);
    return titleCharacter(first) + lowerRest(word, first.length);
  });
}

export function swapCase(text: string): string {
  return text.replace(/\p{Uppercase}|\p{Lowercase}/gu, (char) => {
    const lower = char.toLowerCase();
    return lower === char ? char.toUpperCase() : lower;
  });
}

export function casefold(text: string): string {
  return Array.from(text, (char) => (char === "\u0131" ? char : char.toUpperCase().toLowerCase())).join("");
}
