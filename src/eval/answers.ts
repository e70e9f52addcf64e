/**
 * Finds the answer in a generated text, and compares it with the right one, as lm-eval's filters and `exact_match` do.
 * @module
 */
import type { AnswerFilter, ExactMatch } from "./task.ts";

/** What stands for an answer where none was found. */
export const NO_ANSWER = "[invalid]";

export function findAnswer(text: string, { regex, match = "first" }: AnswerFilter): string {
  const found = [...text.matchAll(new RegExp(regex, "gu"))].at(match === "first" ? 0 : -1);
  if (!found) return NO_ANSWER;
  const [whole, ...groups] = found;
  return (groups.length === 0 ? whole : (groups.find((group) => group) ?? NO_ANSWER)).trim();
}

export function isExactMatch(answer: string, target: string, options: ExactMatch = {}): boolean {
  const { ignore_case = false, regexes_to_ignore = [] } = options;
  const plain = (text: string): string => {
    const kept = regexes_to_ignore.reduce((rest, regex) => rest.replace(new RegExp(regex, "gu"), ""), text);
    return ignore_case ? kept.toLowerCase() : kept;
  };
  return plain(answer) === plain(target);
}
