/**
 * English words for numbers, as the Python package word2number 1.1 reads them, which the final models' evaluation uses.
 * @module
 */

const WORDS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...Object.fromEntries(
      "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
        .split(" ")
        .map((word, value) => [word, value]),
    ),
    ...Object.fromEntries(
      "twenty thirty forty fifty sixty seventy eighty ninety".split(" ").map((word, i) => [word, 20 + 10 * i]),
    ),
    hundred: 100,
    thousand: 1e3,
    million: 1e6,
    billion: 1e9,
  }),
);
const SCALES = ["billion", "million", "thousand"] as const;

/** The number in a text, as Python prints it, or the text itself if it has none. Words that are no numbers are skipped. */
export function wordsToNumber(text: string): string {
  const plain = text.replaceAll("-", " ").toLowerCase();
  if (/^\p{Nd}+$/u.test(plain)) return BigInt([...plain].map(digitValue).join("")).toString();
  const words = plain.split(/\s+/).filter((word) => WORDS.has(word) || word === "point");
  if (words.length === 0 || [...SCALES, "point"].some((one) => words.indexOf(one) !== words.lastIndexOf(one)))
    return text;
  const point = words.indexOf("point");
  const whole = wholeNumber(point < 0 ? words : words.slice(0, point));
  if (whole === undefined) return text;
  return String(whole + (point < 0 ? 0 : fraction(words.slice(point + 1))));
}

/** Decimal digits of a script stand one after the other, from zero on. */
function digitValue(digit: string): number {
  let before = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(digit.codePointAt(0)! - before - 1))) before++;
  return before % 10;
}

/** The digits behind the point; 0 if one is no digit. */
function fraction(words: readonly string[]): number {
  const digits = words.map((word) => WORDS.get(word) ?? 10);
  return words.length > 0 && digits.every((digit) => digit < 10) ? Number(`0.${digits.join("")}`) : 0;
}

function wholeNumber(words: readonly string[]): number | undefined {
  if (words.length < 2) return words.length === 0 ? 0 : WORDS.get(words[0]!)!;
  let total = 0;
  let start = 0;
  for (const scale of SCALES) {
    const at = words.indexOf(scale);
    if (at < 0) continue;
    const times = at < start ? undefined : belowThousand(words.slice(start, at));
    if (times === undefined) return undefined;
    total += times * WORDS.get(scale)!;
    start = at + 1;
  }
  const rest = start === words.length ? 0 : belowThousand(words.slice(start));
  return rest === undefined ? undefined : total + rest;
}

/** Up to four words, such as "two hundred forty one". Of more the first counts. */
function belowThousand(words: readonly string[]): number | undefined {
  const [a, b, c, d] = words.map((word) => WORDS.get(word)!) as [number?, number?, number?, number?];
  if (a === undefined || b === undefined || words.length > 4) return a;
  if (c === undefined) return a === 100 || b === 100 ? a * b : a + b;
  return a * b + c + (d ?? 0);
}
