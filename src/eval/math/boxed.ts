/**
 * Answers in `\boxed{...}`.
 * @module
 */

/**
 * The content of the last box of a text, by lm-eval's rules for MATH: `\boxed 5` ends at the next dollar sign, `\fbox` counts
 * where there is no `\boxed`, and an unclosed box is none.
 */
export function lastBoxed(text: string): string | undefined {
  const bare = text.lastIndexOf("\\boxed ");
  if (bare >= 0) return text.slice(bare + "\\boxed ".length).split("$")[0]!;
  const box = text.lastIndexOf("\\boxed");
  const start = box >= 0 ? box : text.lastIndexOf("\\fbox");
  if (start < 0) return undefined;
  const end = closingBrace(text, start);
  // Only a brace directly behind the command belongs to it, and lm-eval reads `\boxed` alone.
  return end === undefined || !text.startsWith("\\boxed{", start) ? undefined : text.slice(start + 7, end);
}

/** The place of the brace that closes the first one at or after a place. */
export function closingBrace(text: string, from: number): number | undefined {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
  }
  return undefined;
}
