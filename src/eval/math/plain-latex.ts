/**
 * The spelling of LaTeX in which lm-eval compares answers of MATH (`hendrycks_math`) and AIME: equal spellings are equal
 * answers, and nothing is computed.
 * @module
 */
import { withBracedFractions } from "./latex-shorthand.ts";

/** Spellings that are replaced first, in this order. */
const FIRST: readonly (readonly [string, string])[] = [
  ["\n", ""],
  ["\\!", ""],
  ["\\\\", "\\"],
  ["tfrac", "frac"],
  ["dfrac", "frac"],
  ["\\left", ""],
  ["\\right", ""],
  ["^{\\circ}", ""],
  ["^\\circ", ""],
  ["\\$", ""],
];

/** Python fails on a text that some step cannot read; lm-eval then compares the texts as they are. */
class Unreadable extends Error {}

/** Whether two answers have the same spelling. */
export function sameLatex(a: string, b: string): boolean {
  try {
    return plainLatex(a) === plainLatex(b);
  } catch (error) {
    if (error instanceof Unreadable) return a === b;
    throw error;
  }
}

function plainLatex(answer: string): string {
  let text = FIRST.reduce((rest, [from, to]) => rest.replaceAll(from, to), answer);
  text = withoutUnits(text).replaceAll("\\%", "").replaceAll(" .", " 0.").replaceAll("{.", "{0.");
  if (text === "") return text;
  if (text.startsWith(".")) text = `0${text}`;
  const sides = text.split("=");
  if (sides.length === 2 && sides[0]!.length <= 2) text = sides[1]!;
  text = withBracedRoots(text).replaceAll(" ", "");
  if (text.split("\\frac").slice(1).includes("")) throw new Unreadable();
  text = withBracedFractions(text);
  return slashAsFraction(text === "0.5" ? "\\frac{1}{2}" : text);
}

/** Units stand in `\text{ ...}` at the end. */
function withoutUnits(text: string): string {
  const parts = text.split("\\text{ ");
  if (parts.length > 2) throw new Unreadable();
  return parts[0]!;
}

/** `\sqrt3` is `\sqrt{3}`. */
function withBracedRoots(text: string): string {
  const [before, ...roots] = text.split("\\sqrt");
  return before + roots.map((root) => `\\sqrt${root.startsWith("{") ? root : braceFirst(root)}`).join("");
}

function braceFirst(text: string): string {
  const [first] = text;
  if (first === undefined) throw new Unreadable();
  return `{${first}}${text.slice(first.length)}`;
}

/** `3/4` of whole numbers is `\frac{3}{4}`. */
function slashAsFraction(text: string): string {
  const parts = text.split("/");
  if (parts.length !== 2) return text;
  const [top, bottom] = parts as [string, string];
  const isInteger = (part: string): boolean => /^\s*[+-]?\d+(_\d+)*\s*$/.test(part);
  if (!isInteger(top) || !isInteger(bottom)) throw new Unreadable();
  const asPython = (part: string): string => BigInt(part.trim().replaceAll("_", "").replace("+", "")).toString();
  return text === `${asPython(top)}/${asPython(bottom)}` ? `\\frac{${top}}{${bottom}}` : text;
}
