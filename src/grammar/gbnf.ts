/**
 * GBNF, llama.cpp's grammar notation: `name ::= alternatives`, with literals, classes, groups and repetition.
 * https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md describes it.
 * @module
 */
import type { Tokenizer } from "../tokenizer/types.ts";
import { chars, choice, type Expression, type Grammar, literal, repeat, rule, sequence } from "./expression.ts";
import { checkLimit, grammarError, MAX_ALTERNATIVES, MAX_DEPTH, MAX_REPEAT, MAX_RULES, MAX_SOURCE } from "./limits.ts";
import { ANY_CHAR, complement, union } from "./regular/char-set.ts";

const NAME = /[a-zA-Z0-9-]/;
const CONTROLS: ReadonlyMap<string, string> = new Map(Object.entries({ t: "\t", n: "\n", r: "\r" }));
const HEX_DIGITS: ReadonlyMap<string, number> = new Map(Object.entries({ x: 2, u: 4, U: 8 }));

/**
 * Parses a grammar. The rule `root` is the whole text.
 * @throws NibbleError `invalid_argument` with line and column for what cannot be read, and for rules that are missing or
 * defined twice
 */
export function parseGbnf(source: string, vocabulary?: Vocabulary): Grammar {
  checkLimit("grammar: length", source.length, MAX_SOURCE);
  return new GbnfParser(source, vocabulary).parse();
}

/** The parts of a tokenizer that grammars need to name tokens. */
export type Vocabulary = Pick<Tokenizer, "encode" | "vocabSize">;

class GbnfParser {
  readonly #source: readonly string[];
  readonly #vocabulary: Vocabulary | undefined;
  readonly #ids = new Map<string, number>([["root", 0]]);
  readonly #rules: (Expression | undefined)[] = [undefined];
  #at = 0;
  #depth = 0;

  constructor(source: string, vocabulary: Vocabulary | undefined) {
    this.#source = [...source];
    this.#vocabulary = vocabulary;
  }

  parse(): Grammar {
    this.#space(true);
    while (this.#peek() !== undefined) {
      const name = this.#name();
      this.#space(false);
      if (!(this.#take(":") && this.#take(":") && this.#take("="))) throw this.#error("::=");
      const index = this.#index(name);
      if (this.#rules[index]) throw this.#error(`one definition of rule ${name}`);
      this.#space(true);
      this.#rules[index] = this.#choice(false);
      if (this.#peek() !== undefined && this.#peek() !== "\n") throw this.#error("the end of the rule");
      this.#space(true);
    }
    const names = [...this.#ids.keys()];
    const missing = names.find((_, index) => !this.#rules[index]);
    if (missing !== undefined) throw grammarError(`grammar: there is no rule ${missing}`);
    return { rules: this.#rules as Expression[], names };
  }

  /** @param nested inside a group, where a line may end anywhere */
  #choice(nested: boolean): Expression {
    checkLimit("grammar: nested groups", ++this.#depth, MAX_DEPTH);
    const parts = [this.#sequence(nested)];
    while (this.#take("|")) {
      this.#space(true);
      parts.push(this.#sequence(nested));
      checkLimit("grammar: alternatives", parts.length, MAX_ALTERNATIVES);
    }
    this.#depth--;
    return choice(...parts);
  }

  #sequence(nested: boolean): Expression {
    const parts: Expression[] = [];
    for (;;) {
      const next = this.#peek();
      if (next === undefined || next === "|" || next === ")" || next === "\n") break;
      parts.push(this.#repeated(this.#item()));
      this.#space(nested);
      if (this.#beforeChoice()) this.#space(true);
    }
    return sequence(...parts);
  }

  /** Whether `|` comes next, perhaps on a later line. */
  #beforeChoice(): boolean {
    let at = this.#at;
    while (/\s/.test(this.#source[at] ?? "x")) at++;
    return this.#source[at] === "|";
  }

  #item(): Expression {
    if (this.#take('"')) return this.#literal();
    if (this.#take("[")) return this.#class();
    if (this.#take(".")) return chars(ANY_CHAR);
    if (this.#take("!")) return this.#token(true);
    if (this.#peek() === "<") return this.#token(false);
    if (this.#take("(")) {
      this.#space(true);
      const group = this.#choice(true);
      if (!this.#take(")")) throw this.#error(") of a group");
      return group;
    }
    if (NAME.test(this.#peek() ?? "")) return rule(this.#index(this.#name()));
    throw this.#error("a literal, a class, a group or the name of a rule");
  }

  /** A token: by its text, as `<think>`, or by its id, as `<[1000]>`. */
  #token(negated: boolean): Expression {
    const start = this.#at;
    if (!this.#take("<")) throw this.#error("< of a token");
    while (!this.#take(">")) {
      if (this.#peek() === undefined || this.#peek() === "\n") throw this.#error("> of a token");
      this.#at++;
    }
    const text = this.#source.slice(start, this.#at).join("");
    if (!this.#vocabulary) throw grammarError(`grammar: the token ${text} needs a vocabulary`);
    const { vocabSize } = this.#vocabulary;
    const number = /^<\[([0-9]+)\]>$/.exec(text)?.[1];
    const ids = number ? [Number(number)] : this.#vocabulary.encode(text, { special: true, addBos: false });
    if (ids.length !== 1) throw grammarError(`grammar: there is no token ${text} in the vocabulary`);
    checkLimit("grammar: id of a token", ids[0]!, vocabSize - 1);
    return { kind: "token", id: ids[0]!, negated };
  }

  /** An item with its quantifiers; several apply from left to right. */
  #repeated(part: Expression): Expression {
    checkLimit("grammar: nested groups", ++this.#depth, MAX_DEPTH);
    const repeated = this.#quantified(part);
    const all = repeated === part ? part : this.#repeated(repeated);
    this.#depth--;
    return all;
  }

  #quantified(part: Expression): Expression {
    if (this.#take("*")) return repeat(part, 0, Number.POSITIVE_INFINITY);
    if (this.#take("+")) return repeat(part, 1, Number.POSITIVE_INFINITY);
    if (this.#take("?")) return repeat(part, 0, 1);
    return this.#take("{") ? this.#counted(part) : part;
  }

  #counted(part: Expression): Expression {
    this.#space(false);
    const min = this.#peek() === "," ? 0 : this.#count();
    this.#space(false);
    let max = min;
    if (this.#take(",")) {
      this.#space(false);
      max = this.#peek() === "}" ? Number.POSITIVE_INFINITY : this.#count();
      this.#space(false);
    }
    if (!this.#take("}") || max < min) throw this.#error("{min,max} with min at most max");
    checkLimit("grammar: repetitions", min, MAX_REPEAT);
    // As in llama.cpp, a maximum above MAX_REPEAT is no limit.
    return repeat(part, min, max > MAX_REPEAT ? Number.POSITIVE_INFINITY : max);
  }

  #count(): number {
    const start = this.#at;
    while (/^[0-9]$/.test(this.#peek() ?? "")) this.#at++;
    if (start === this.#at) throw this.#error("a number of repetitions");
    return Number(this.#source.slice(start, this.#at).join(""));
  }

  #literal(): Expression {
    let text = "";
    while (!this.#take('"')) text += this.#char('" of a literal');
    return literal(text);
  }

  #class(): Expression {
    const inverted = this.#take("^");
    const sets = [];
    while (!this.#take("]")) {
      const from = this.#char("] of a class").codePointAt(0)!;
      if (this.#peek() === "-" && this.#source[this.#at + 1] !== "]") {
        this.#at++;
        const to = this.#char("] of a class").codePointAt(0)!;
        if (to < from) throw this.#error("a range of characters in order");
        sets.push([from, to]);
      } else sets.push([from, from]);
    }
    const set = union(...sets);
    return chars(inverted ? complement(set) : set);
  }

  /** One character of a literal or class. @param end what is missing if the grammar ends first */
  #char(end: string): string {
    const char = this.#source[this.#at++];
    if (char === undefined) throw this.#error(end);
    if (char !== "\\") return char;
    const escaped = this.#source[this.#at++];
    const control = CONTROLS.get(escaped ?? "");
    if (control !== undefined) return control;
    const digits = HEX_DIGITS.get(escaped ?? "");
    if (digits !== undefined) {
      const hex = this.#source.slice(this.#at, this.#at + digits).join("");
      const code = Number.parseInt(hex, 16);
      const valid = hex.length === digits && /^[0-9a-fA-F]+$/.test(hex) && code <= 0x10ffff;
      if (!valid || (code >= 0xd800 && code <= 0xdfff))
        throw this.#error(`${digits} hexadecimal digits of a character`);
      this.#at += digits;
      return String.fromCodePoint(code);
    }
    if (escaped !== undefined && '\\"[]-^'.includes(escaped)) return escaped;
    throw this.#error('one of \\n \\r \\t \\x \\u \\U \\\\ \\" \\[ \\]');
  }

  #name(): string {
    const start = this.#at;
    while (NAME.test(this.#peek() ?? "")) this.#at++;
    if (this.#at === start) throw this.#error("the name of a rule");
    return this.#source.slice(start, this.#at).join("");
  }

  #index(name: string): number {
    let index = this.#ids.get(name);
    if (index === undefined) {
      index = this.#rules.push(undefined) - 1;
      checkLimit("grammar: rules", index, MAX_RULES - 1);
      this.#ids.set(name, index);
    }
    return index;
  }

  /** Skips spaces and comments, and the ends of lines if `lines` is set. */
  #space(lines: boolean): void {
    for (;;) {
      const next = this.#peek();
      if (next === "#") while (this.#peek() !== undefined && this.#peek() !== "\n") this.#at++;
      else if (next === " " || next === "\t" || next === "\r" || (lines && next === "\n")) this.#at++;
      else return;
    }
  }

  #peek(): string | undefined {
    return this.#source[this.#at];
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #error(expected: string) {
    const before = this.#source.slice(0, this.#at);
    const line = before.filter((char) => char === "\n").length + 1;
    const column = this.#at - before.lastIndexOf("\n");
    const got = this.#peek();
    return grammarError(
      `grammar: expected ${expected} in line ${line}, column ${column}, got ${got === undefined ? "the end" : JSON.stringify(got)}`,
    );
  }
}
