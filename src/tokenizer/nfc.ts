/**
 * Normalisation forms C and D of Unicode 9, which is the version inside Hugging Face's `tokenizers` (measured on 0.23.3).
 *
 * Engines know newer versions, and would also reorder or compose newer characters. Unicode guarantees that text of
 * characters which a version has assigned normalises the same in all later ones (Unicode Standard Annex 15, section 3). So
 * only runs of characters that took part in Unicode 9 go to the engine; every other character stays as it is and ends a run.
 * @module
 */
import { nfcClasses, unitsAt } from "./unicode.ts";
import { NFC_MAY_CHANGE, NFC_ORDER, NFC_RELEVANT } from "./unicode-flags.ts";

/** `text` in normalisation form C of Unicode 9. Takes linear time. */
export function nfc(text: string): string {
  let at = 0;
  while (at < text.length && text.charCodeAt(at) < 0x300) at++;
  if (at === text.length) return text; // characters below U+0300 change only together with one above

  const classes = nfcClasses();
  const end = text.length;
  let result = "";
  let copied = 0;
  for (let start = 0; start < end; ) {
    const stop = classes.skipWhile(text, start, end, NFC_RELEVANT);
    if (classes.skipUntil(text, start, stop, NFC_MAY_CHANGE) < stop) {
      result += text.slice(copied, start) + orderMarks(text.slice(start, stop)).normalize("NFC");
      copied = stop;
    }
    start = stop < end ? stop + unitsAt(text, stop) : end;
  }
  return result + text.slice(copied);
}

/** `text` in normalisation form D of Unicode 9. Takes linear time. */
export function nfd(text: string): string {
  const classes = nfcClasses();
  const end = text.length;
  let result = "";
  for (let start = 0; start < end; ) {
    const stop = classes.skipWhile(text, start, end, NFC_RELEVANT);
    const next = classes.skipUntil(text, stop, end, NFC_RELEVANT);
    result += orderMarks(text.slice(start, stop)).normalize("NFD") + text.slice(stop, next);
    start = next;
  }
  return result;
}

/** The only characters that decompose into combining marks alone (Unicode's Non-Starter Decompositions). */
const MARKS_OF_MARKS = /[\u0344\u0f73\u0f75\u0f81]/g;
/** UTF-16 units of a run that is worth sorting here. */
const LONG = 32;

/**
 * Puts long sequences of combining marks into canonical order before the engine does, because it sorts by insertion, which
 * takes quadratic time: 160,000 alternating marks took 5.6 s in V8 (ICU 78).
 */
function orderMarks(run: string): string {
  if (run.length < LONG) return run;
  const classes = nfcClasses();
  const order = (character: string): number => Math.floor(classes.flags(character.codePointAt(0)!) / NFC_ORDER);
  const parts: string[] = [];
  let marks: string[] = [];
  const flush = (): void => {
    if (marks.length >= LONG) marks.sort((a, b) => order(a) - order(b)); // stable, as canonical order asks
    for (const mark of marks) parts.push(mark);
    marks = [];
  };
  for (const character of run.replace(MARKS_OF_MARKS, (mark) => mark.normalize("NFD"))) {
    if (order(character) > 0) marks.push(character);
    else {
      flush();
      parts.push(character);
    }
  }
  flush();
  return parts.join("");
}
