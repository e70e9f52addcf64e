/**
 * LaTeX with the braces that its shorthand leaves out.
 * @module
 */

/** `\frac12` and `\frac1{2}` are `\frac{1}{2}`. A text in which something is missing is left as it is. */
export function withBracedFractions(text: string): string {
  const [before, ...fractions] = text.split("\\frac");
  if (fractions.some((one) => !one.startsWith("{") && [...one].length < 2)) return text;
  const braced = fractions.map((one) => {
    if (one.startsWith("{")) return `\\frac${one}`;
    const [top, bottom] = [...one] as [string, string];
    const rest = one.slice(top.length + bottom.length);
    return `\\frac{${top}}${bottom === "{" ? bottom : `{${bottom}}`}${rest}`;
  });
  return before + braced.join("");
}
