/**
 * What a chat template may cost. A template comes with a downloaded model file, so it is untrusted code.
 * Everything that could overflow the stack or take quadratic time is refused before parsing.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Token } from "./jinja.ts";

/** The largest public templates (tool use, many roles) are about 20 KiB. */
const MAX_SOURCE: number = 128 * 1024;
/** UTF-16 units of any string, and of the rendered prompt. */
export const MAX_STRING: number = 4 * 1024 * 1024;
/** Elements of a list, of `range()`, and of a nested value that is printed. */
export const MAX_LIST = 100_000;
/** Evaluation steps. A step takes about 0.1 us (measured, Node 24), costly operations count as many. */
export const MAX_STEPS = 1_000_000;
/** Evaluation nesting: expressions, blocks and macro calls together. */
export const MAX_DEPTH = 256;

const MAX_NESTING = 64; // brackets; blocks; `elif` of one `if`
const MAX_TAG_TOKENS = 4096; // in one {{ }} or {% %}: the parser recurses on `not not ...`, `a()()...`, chained ternaries
const MAX_WHITESPACE_WORK = 20_000_000;

export function templateError(message: string, cause?: unknown): NibbleError {
  return new NibbleError("template_error", `chat template: ${message}`, { cause });
}

/** @throws NibbleError `template_error` if the text is too long for the lexer, or would make its patterns slow. */
export function checkSource(source: string): void {
  if (source.length > MAX_SOURCE) {
    throw templateError(`expected at most ${MAX_SOURCE} characters, got ${source.length}`);
  }
  // The lexer's pattern for the `generation` tag starts with \s*, which is retried at every place of a run of
  // white space: a run of n costs n^2.
  let work = 0;
  for (const { 0: run } of source.matchAll(/\s+/g)) work += run.length * run.length;
  if (work > MAX_WHITESPACE_WORK) throw templateError("too long a run of white space");
}

const OPENING = new Set(["OpenParen", "OpenSquareBracket", "OpenCurlyBracket"]);
const CLOSING = new Set(["CloseParen", "CloseSquareBracket", "CloseCurlyBracket"]);

/**
 * Bounds the depth of the parser's recursion. `set` opens a block only without `=`, which the parser decides;
 * counting it always would refuse long templates, so only its end tag and the plain form are seen here.
 * @throws NibbleError `template_error`
 */
export function checkTokens(tokens: readonly Token[]): void {
  let brackets = 0;
  let tagStart = 0;
  const blocks: number[] = []; // for each open block: how much nesting it adds
  let nesting = 0;
  for (let i = 0; i < tokens.length; i++) {
    const { type } = tokens[i]!;
    if (OPENING.has(type)) {
      if (++brackets > MAX_NESTING) throw templateError(`brackets nest deeper than ${MAX_NESTING}`);
    } else if (CLOSING.has(type)) {
      brackets--;
    } else if (type === "OpenStatement" || type === "OpenExpression") {
      tagStart = i;
      brackets = 0;
      const word = type === "OpenStatement" ? tokens[i + 1]?.value : undefined;
      if (word === "elif" && blocks.length > 0) {
        blocks[blocks.length - 1]!++;
        nesting++;
      } else if (word !== undefined && opensBlock(word, tokens, i)) {
        blocks.push(1);
        nesting++;
      } else if (word?.startsWith("end")) {
        nesting -= blocks.pop() ?? 0;
      }
      if (nesting > MAX_NESTING) throw templateError(`blocks nest deeper than ${MAX_NESTING}`);
    }
    if (i - tagStart > MAX_TAG_TOKENS && type !== "Text") {
      throw templateError(`a tag has more than ${MAX_TAG_TOKENS} parts`);
    }
  }
}

function opensBlock(word: string, tokens: readonly Token[], open: number): boolean {
  if (word !== "set")
    return word === "if" || word === "for" || word === "macro" || word === "call" || word === "filter";
  for (let i = open + 2; i < tokens.length; i++) {
    const { type } = tokens[i]!;
    if (type === "Equals") return false;
    if (type === "CloseStatement") return true;
  }
  return false;
}
