/**
 * Answers to mathematical problems as lm-eval 0.4.13 finds and compares them in its `minerva_math` tasks, which go back to
 * appendix D of "Solving Quantitative Reasoning Problems with Language Models" (Lewkowycz et al. 2022).
 * @module
 */
import { strip, WORD } from "../python-text.ts";
import { compareExpressions, type Equality } from "./equality.ts";
import { type Expression, type Relation, someOf } from "./expression.ts";
import { UnreadableLatex, UnsupportedLatex } from "./latex-cursor.ts";
import { readLatex } from "./latex-reader.ts";

/** What stands for an answer where none was found. */
const NO_ANSWER = "[invalidanswer]";
const END = "I hope it is correct.";
const ANSWER = /Final Answer: The final answer is([^\n]*?)[^\n] I hope it is correct[^\n]/u;

/** The text between the words that the examples end with. The last words are appended first, so a text may lack them. */
export function minervaAnswer(text: string): string {
  const found = ANSWER.exec(text + END)?.[1];
  return found === undefined ? NO_ANSWER : strip(found);
}

/** Units, which are removed where they stand alone, and once more when white space is gone. */
const WORDS =
  "square ways integers dollars mph inches ft hours km units sue points feet minutes digits cents degrees cm gm pounds meters meals edges students childrentickets multiples".split(
    " ",
  );
/** What is removed when white space is gone, in this order. */
const REMOVED: readonly string[] = [
  ...WORDS.slice(0, WORDS.indexOf("sue")),
  "\\ldots",
  ...WORDS.slice(WORDS.indexOf("sue")),
  ...["\\text{s}", "\\text{.}", "\\text{\ns}", "\\text{}^2", "\\text{}^3", "\\text{\n}", "\\text{}", "\\mathrm{th}"],
  ...["^\\circ", "^{\\circ}", "\\;", ",\\!", "{,}", '"', "\\dots"],
];
const REPLACED: readonly (readonly [from: string, to: string])[] = [
  ["an ", ""],
  ["a ", ""],
  [".$", "$"],
  ["\\$", ""],
  ["\\ ", ""],
  [" ", ""],
  ["mbox", "text"],
  [",\\text{and}", ","],
  ["\\text{and}", ","],
  ["\\text{m}", "\\text{}"],
];
/** Rewriting, in this order: what is marked up stands for itself, and shorthand of fractions and roots gets its braces. */
const REWRITTEN: readonly (readonly [pattern: RegExp, by: string])[] = [
  [/[^\n]*?\$([^\n]*?)\$[^\n]*/gu, "$$$1$$"],
  [/\\text\{([^\n]*?)\}/gu, "$1"],
  [/\\textbf\{([^\n]*?)\}/gu, "$1"],
  [/\\overline\{([^\n]*?)\}/gu, "$1"],
  [/\\boxed\{([^\n]*)\}/gu, "$1"],
  [/frac([^{])([^\n])/gu, "frac{$1}{$2}"],
  [new RegExp(`sqrt(\\[[^\\]]*\\])([${WORD}])`, "gu"), "sqrt$1{$2}"],
  [/sqrt(?!\[)([^{])/gu, "sqrt{$1}"],
  [/\$/gu, ""],
];
const WORD_ALONE = WORDS.map((word) => new RegExp(`(?<![\\\\${WORD}])${word}(?![${WORD}])`, "gu"));
const THOUSANDS = /^-?\p{Nd}{1,3}(,\p{Nd}{3})+$/u;

/** The spelling in which answers are compared: without units, words and white space. */
export function minervaForm(answer: string): string {
  let text = answer.split("=").at(-1)!;
  for (const pattern of WORD_ALONE) text = text.replace(pattern, "");
  for (const [from, to] of REPLACED) text = text.replaceAll(from, to);
  for (const removed of REMOVED)
    text = WORDS.includes(removed) ? withoutWord(text, removed) : text.replaceAll(removed, "");
  // Without a dollar sign the first pattern would try every place of a long line in vain.
  for (const [pattern, by] of text.includes("$") ? REWRITTEN : REWRITTEN.slice(1)) text = text.replace(pattern, by);
  return THOUSANDS.test(text) ? text.replaceAll(",", "") : text;
}

/** LaTeX commands are left alone, so that `\left` keeps its `ft`. */
function withoutWord(text: string, word: string): string {
  const parts = text.split(/(\\[a-zA-Z]+)/);
  return parts.map((part, i) => (i % 2 === 0 ? part.replaceAll(word, "") : part)).join("");
}

/** Compares two answers in their `minervaForm`: equal texts are equal, others are read as LaTeX and compared by value. */
export function compareMinerva(answer: string, gold: string): Equality {
  if (answer !== "" && answer === gold) return "equal";
  try {
    const [a, b] = [readLatex(answer), readLatex(gold)];
    // Sympy cannot subtract relations, and infinity minus infinity is no number: then the answer counts as wrong.
    if (isInfinite(a) && isInfinite(b)) return "different";
    return a.type === "relation" || b.type === "relation" ? "different" : compareExpressions(a, b);
  } catch (error) {
    if (error instanceof UnreadableLatex) return "different";
    if (error instanceof UnsupportedLatex) return "undecided";
    throw error;
  }
}

function isInfinite(value: Expression | Relation): boolean {
  return value.type !== "relation" && someOf(value, ({ type }) => type === "infinity");
}
