/**
 * Texts in code points, as Python counts them.
 * @module
 */

/** `len(text)` */
export function charactersIn(text: string): number {
  let length = text.length;
  if (/[\ud800-\udbff]/.test(text)) for (const _ of text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)) length--;
  return length;
}

/** `text[start:stop]` in code points, for 0 <= start <= stop. */
export function sliceCharacters(text: string, start: number, stop?: number): string {
  if (!/[\ud800-\udbff]/.test(text)) return text.slice(start, stop);
  return [...text].slice(start, stop).join("");
}
