/**
 * Regular expressions in the syntax of ECMA-262, with Python's named groups and anchors, parsed to trees. A user's pattern never reaches the host's RegExp.
 * @module
 */
import { checkLimit, grammarError, MAX_ALTERNATIVES, MAX_DEPTH, MAX_REPEAT, MAX_SOURCE } from "../limits.ts";
import { CLASSES, NOT_LINE_END } from "./char-classes.ts";
import { ANY_CHAR, type CharSet, charsOf, complement, union } from "./char-set.ts";
import { unicodeProperty } from "./unicode-properties.ts";

export type Pattern =
  | { readonly kind: "chars"; readonly set: CharSet }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly Pattern[] }
  | { readonly kind: "repeat"; readonly part: Pattern; readonly min: number; readonly max: number }
  /** A lookahead: the rest of the text begins with a match of the pattern, or does not. */
  | { readonly kind: "lookahead"; readonly pattern: Pattern; readonly negative: boolean }
  /** The anchors `^` and `$`. */
  | { readonly kind: "start" | "end" };

const CONTROLS: ReadonlyMap<string, string> = new Map(Object.entries({ t: "\t", n: "\n", r: "\r", f: "\f", v: "\v" }));
/** Escapes of anchors in Python's notation. */
const ANCHORS: ReadonlyMap<string, "start" | "end"> = new Map([["A", "start"], ["Z", "end"], ["z", "end"]]); // biome-ignore format: one line

/**
 * Parses groups, alternatives, classes, quantifiers, lookaheads and the anchors `^` and `$`. Lazy quantifiers match the
 * same texts as greedy ones.
 * @throws NibbleError `invalid_argument` for what is no pattern, and by name for what is not supported: lookbehind, flags,
 * back references, `\b`
 */
export function parsePattern(source: string): Pattern {
  checkLimit("pattern: length", source.length, MAX_SOURCE);
  return new PatternParser(source).parse();
}

class PatternParser {
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#chars = [...source];
  }

  parse(): Pattern {
    const pattern = this.#choice();
    if (this.#at < this.#chars.length) throw this.#error("the end of the pattern");
    return pattern;
  }

  #choice(): Pattern {
    checkLimit("pattern: nested groups", ++this.#depth, MAX_DEPTH);
    const parts = [this.#sequence()];
    while (this.#take("|")) {
      parts.push(this.#sequence());
      checkLimit("pattern: alternatives", parts.length, MAX_ALTERNATIVES);
    }
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { kind: "choice", parts };
  }

  #sequence(): Pattern {
    const parts: Pattern[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      parts.push(this.#quantified(this.#atom()));
    }
    return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
  }

  #atom(): Pattern {
    const char = this.#chars[this.#at]!;
    if ("*+?{".includes(char)) throw this.#error("something to repeat");
    if ("]}".includes(char)) throw this.#error(`\\${char} (a bracket that closes nothing)`);
    this.#at++;
    if (char === "(") return this.#group();
    if (char === "[") return { kind: "chars", set: this.#class() };
    if (char === ".") return { kind: "chars", set: NOT_LINE_END };
    if (char === "^") return { kind: "start" };
    if (char === "$") return { kind: "end" };
    const anchor = char === "\\" ? ANCHORS.get(this.#peek() ?? "") : undefined;
    if (anchor) {
      this.#at++;
      return { kind: anchor };
    }
    return { kind: "chars", set: char === "\\" ? this.#escape() : charsOf(char) };
  }

  #group(): Pattern {
    if (this.#take("?")) {
      const negative = this.#take("!");
      if (negative || this.#take("=")) return { kind: "lookahead", negative, pattern: this.#groupEnd() };
      this.#take("P"); // Python's named groups
      if (this.#take("<")) {
        if (this.#peek() === "=" || this.#peek() === "!") throw this.#unsupported("lookbehind");
        this.#until(">", "> after a group's name");
      } else if (!this.#take(":")) throw this.#unsupported("flags in a group");
    }
    return { kind: "sequence", parts: [this.#groupEnd()] }; // no longer a bare anchor, so it may be repeated
  }

  #groupEnd(): Pattern {
    const pattern = this.#choice();
    if (!this.#take(")")) throw this.#error(") of a group");
    return pattern;
  }

  #quantified(part: Pattern): Pattern {
    let [min, max] = [1, 1];
    if (this.#take("*")) [min, max] = [0, Number.POSITIVE_INFINITY];
    else if (this.#take("+")) [min, max] = [1, Number.POSITIVE_INFINITY];
    else if (this.#take("?")) [min, max] = [0, 1];
    else if (this.#take("{")) {
      min = this.#count();
      max = this.#take(",") ? (this.#peek() === "}" ? Number.POSITIVE_INFINITY : this.#count()) : min;
      if (!this.#take("}") || max < min) throw this.#error("{min,max} with min at most max");
    } else return part;
    this.#take("?");
    if ("*+?{".includes(this.#peek() ?? " ")) throw this.#error("one quantifier");
    if (part.kind === "start" || part.kind === "end") throw this.#error("something else than an anchor to repeat");
    if (part.kind === "lookahead") throw this.#error("something else than a lookahead to repeat");
    return { kind: "repeat", part, min, max };
  }

  #count(): number {
    const start = this.#at;
    while (/^[0-9]$/.test(this.#peek() ?? "")) this.#at++;
    if (this.#at === start) throw this.#error("a number of repetitions");
    const count = Number(this.#chars.slice(start, this.#at).join(""));
    checkLimit("pattern: repetitions", count, MAX_REPEAT);
    return count;
  }

  #class(): CharSet {
    const inverted = this.#take("^");
    const sets: CharSet[] = [];
    while (!this.#take("]")) {
      const from = this.#classAtom();
      if (this.#peek() === "-" && this.#chars[this.#at + 1] !== "]" && this.#at + 1 < this.#chars.length) {
        this.#at++;
        const to = this.#classAtom();
        const single = (set: CharSet) => set.length === 2 && set[0] === set[1];
        if (!single(from) || !single(to) || from[0]! > to[0]!) throw this.#error("a range of characters in order");
        sets.push([from[0]!, to[0]!]);
      } else sets.push(from);
    }
    return inverted ? complement(union(...sets)) : union(...sets);
  }

  #classAtom(): CharSet {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw this.#error("] of a class");
    if (char !== "\\") return charsOf(char);
    if (this.#take("b")) return charsOf("\b");
    return this.#escape();
  }

  #escape(): CharSet {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw this.#error("a character after \\");
    const known = CLASSES.get(char);
    if (known) return known;
    const control = CONTROLS.get(char);
    if (control !== undefined) return charsOf(control);
    if (char === "0" && !/^[0-9]$/.test(this.#peek() ?? "")) return charsOf("\0");
    if (char === "x") return this.#hex(2);
    if (char === "u") return this.#unicode();
    if ((char === "p" || char === "P") && this.#take("{")) {
      const set = unicodeProperty(this.#until("}", "} of a Unicode property"));
      return char === "p" ? set : complement(set);
    }
    if (char === "c" && /^[A-Za-z]$/.test(this.#peek() ?? "")) {
      return charsOf(String.fromCharCode(this.#chars[this.#at++]!.charCodeAt(0) & 31));
    }
    if (!/[a-zA-Z0-9]/.test(char)) return charsOf(char);
    this.#at -= 2;
    throw this.#unsupported(`\\${char}`);
  }

  #unicode(): CharSet {
    if (this.#take("{")) {
      const start = this.#at;
      while (/^[0-9a-fA-F]$/.test(this.#peek() ?? "")) this.#at++;
      const code = Number.parseInt(this.#chars.slice(start, this.#at).join(""), 16);
      if (!this.#take("}") || !(code <= 0x10ffff)) throw this.#error("\\u{...} with a code point");
      return [code, code];
    }
    const high = this.#hex(4);
    if (high[0]! < 0xd800 || high[0]! > 0xdbff) return high;
    if (!(this.#take("\\") && this.#take("u"))) throw this.#error("the second half of a surrogate pair");
    const low = this.#hex(4)[0]!;
    if (low < 0xdc00 || low > 0xdfff) throw this.#error("the second half of a surrogate pair");
    return charsOf(String.fromCharCode(high[0]!, low));
  }

  #hex(digits: number): CharSet {
    const text = this.#chars.slice(this.#at, this.#at + digits).join("");
    if (!/^[0-9a-fA-F]+$/.test(text) || text.length !== digits) throw this.#error(`${digits} hexadecimal digits`);
    this.#at += digits;
    const code = Number.parseInt(text, 16);
    return [code, code];
  }

  /** The text up to a character, which is skipped. */
  #until(end: string, expected: string): string {
    const start = this.#at;
    while (!this.#take(end)) if (this.#at++ >= this.#chars.length) throw this.#error(expected);
    return this.#chars.slice(start, this.#at - 1).join("");
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #take(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #error(expected: string) {
    const got = this.#peek();
    return grammarError(
      `pattern: expected ${expected} at character ${this.#at}, got ${got === undefined ? "the end" : JSON.stringify(got)}`,
    );
  }

  #unsupported(what: string) {
    return grammarError(`pattern: ${what} is not supported (at character ${this.#at})`);
  }
}

const ANY: Pattern = { kind: "repeat", part: { kind: "chars", set: ANY_CHAR }, min: 0, max: Number.POSITIVE_INFINITY };

/** The texts in which the pattern matches somewhere. */
export const anywhere = (pattern: Pattern): Pattern => ({ kind: "sequence", parts: [ANY, pattern, ANY] });

/** The texts that begin with a match of the pattern. */
export const prefix = (pattern: Pattern): Pattern => ({ kind: "sequence", parts: [pattern, ANY] });
