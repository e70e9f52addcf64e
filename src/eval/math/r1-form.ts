/**
 * Where the final models' evaluation finds an answer, and the spelling in which it compares answers (folder `evaluation` of
 * https://github.com/facebookresearch/MobileLLM-R1, which goes back to that of Qwen2.5-Math). Its slips are kept, because
 * the model card's figures have them: a unit is removed wherever it stands alone, so that `a+5` becomes `+5`.
 * @module
 */
import { strip, WORD } from "../python-text.ts";
import { withBracedFractions } from "./latex-shorthand.ts";
import { wordsToNumber } from "./number-words.ts";
import { UNITS } from "./r1-units.ts";

/** The answer in a text of the model, or in a solution, in the form of `r1Form`. */
export function r1Answer(text: string): string {
  const found = r1Place(text.replaceAll("\u043a\u0438", ""));
  if (found === undefined) return "";
  let answer = found.replace(/\n\s*/g, "");
  if (answer.startsWith(":")) answer = answer.slice(1);
  if (answer.endsWith(".")) answer = answer.slice(0, -1);
  if (answer.endsWith("/")) answer = answer.slice(0, -1);
  return r1Form(answer);
}

/** The first place that there is: between the words of Minerva's examples, the last box, behind some words, the last number. */
function r1Place(text: string): string | undefined {
  const behindLast = (words: string): string => strip(text.split(words).at(-1)!);
  if (text.includes("final answer is $") && text.includes("$. I hope"))
    return strip(splitOnce(text, "final answer is $")[1].split("$. I hope")[0]!);
  if (text.includes("boxed")) {
    const box = text.split("boxed").at(-1)!;
    return box === "" ? undefined : box.startsWith("{") ? braced(box) : strip(box.split("$")[0]!);
  }
  for (const words of ["he answer is", "final answer is"]) if (text.includes(words)) return behindLast(words);
  if (text.includes("答案是")) return strip(strip(text.split("答案是")[1]!).split("\n\n")[0]!);
  return (
    text
      .replaceAll(",", "")
      .match(/-?\p{Nd}*\.?\p{Nd}+/gu)
      ?.at(-1) ?? ""
  );
}

function splitOnce(text: string, by: string): readonly [string, string] {
  const at = text.indexOf(by);
  return [text.slice(0, at), text.slice(at + by.length)];
}

/** What is in the brace that a text begins with, or all behind it where it is not closed. */
function braced(text: string): string {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return text.slice(1, i);
  }
  return text.slice(1);
}

type Replacement = readonly [from: string | RegExp, to: string];

const FIRST: readonly Replacement[] = [
  ["\n", ""],
  [/\.+$/g, ""],
  ["\\!", ""],
  [/\\begin\{array\}\{.*?\}/g, "\\begin{pmatrix}"],
  ["\\end{array}", "\\end{pmatrix}"],
  ["bmatrix", "pmatrix"],
  ["tfrac", "frac"],
  ["dfrac", "frac"],
  ["\\neq", "\\ne"],
  ["\\leq", "\\le"],
  ["\\geq", "\\ge"],
  ["\\left", ""],
  ["\\right", ""],
  ["\\{", "{"],
  ["\\}", "}"],
];
const MARKS: readonly Replacement[] = [
  ["^{\\circ}", ""],
  ["^\\circ", ""],
  ["\\$", ""],
  ["$", ""],
  ["\\(", ""],
  ["\\)", ""],
];
const WORDS: readonly Replacement[] = [
  [/\\text\{(.*?)\}/g, "$1"],
  ...["x=", "y=", "z=", "x\\in", "y\\in", "z\\in", "x\\to", "y\\to", "z\\to"].map((from) => [from, ""] as const),
  ["\\emptyset", "{}"],
  ["(-\\infty,\\infty)", "\\mathbb{R}"],
  ["\\%", ""],
  ["%", ""],
  [" .", " 0."],
  ["{.", "{0."],
  ["infinity", "\\infty"],
];
const LAST: readonly Replacement[] = [
  ["and", ""],
  ["\\mathbf", ""],
  [/\\mbox\{.*?\}/g, ""],
];
const UNIT_ALONE = UNITS.map((unit) => new RegExp(`(^|[^${WORD}])${unit}($|[^${WORD}])`, "gu"));

/** The spelling in which answers are compared. A second pass may change it once more, and the evaluation makes two. */
export function r1Form(answer: string): string {
  let text = withoutUnits(replaceAll(strip(answer), FIRST));
  text = replaceAll(wordsToNumber(replaceAll(text, MARKS)), WORDS);
  if (!text.includes("\\infty")) text = text.replaceAll("inf", "\\infty");
  text = replaceAll(text, LAST);
  if (text.includes("j") && !text.includes("i")) text = text.replaceAll("j", "i");
  text = text.replace(/(?<!\p{Nd})(\p{Nd}+)\.0*(\P{Nd})/gu, "$1$2").replace(/(?<!\p{Nd})(\p{Nd}+)\.0*$/u, "$1");
  if (text.startsWith(".")) text = `0${text}`;
  const sides = text.split("=");
  if (sides.length === 2 && [...sides[0]!].length <= 2) text = sides[1]!;
  text = text.replace(new RegExp(`\\\\sqrt([${WORD}]+)`, "gu"), "\\sqrt{$1}").replaceAll(" ", "");
  return slashAsFraction(withBracedFractions(text));
}

function replaceAll(text: string, replacements: readonly Replacement[]): string {
  return replacements.reduce((rest, [from, to]) => rest.replaceAll(from, to), text);
}

/** Units at the end in `\text{...}`, then those that stand alone anywhere, unless nothing would be left. */
function withoutUnits(text: string): string {
  let rest = text;
  const orBefore = (changed: string): string => (changed === "" ? rest : changed);
  rest = orBefore(strip(rest.replace(/\\text\{.*?\}$/, "")));
  for (let pass = 0; pass < 2; pass++) for (const unit of UNIT_ALONE) rest = orBefore(rest.replace(unit, "$1$2"));
  return rest;
}

/** `3/4` of whole numbers or roots is `\frac{3}{4}`. */
function slashAsFraction(text: string): string {
  const parts = text.split("/");
  const fits = (part: string): boolean => part.includes("sqrt") || /^(0|-?[1-9]\d*)$/.test(part);
  return parts.length === 2 && parts.every(fits) ? `\\frac{${parts[0]}}{${parts[1]}}` : text;
}
