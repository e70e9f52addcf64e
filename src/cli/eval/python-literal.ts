/**
 * Literals of Python: texts, numbers, lists, tuples and dictionaries. Nothing is run; any other expression is refused.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";

type Literal = string | number | boolean | null | readonly Literal[] | { readonly [key: string]: Literal };

const SPACE = /(?:\s|#[^\n]*)+/y;
const NUMBER = /[+-]?(?:\d[\d_]*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const TEXT = /([rRuU]?)("""|'''|"|')/y;
const CONSTANTS: Readonly<Record<string, Literal>> = { True: true, False: false, None: null };
const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "\n": "",
};

/**
 * The literal that a function of a Python file returns, such as `def shots(): return [{"question": "..."}]`.
 * @throws NibbleError `bad_value` if there is no such function, or it returns something else
 */
export function returnedLiteral(source: string, name: string, file: string): unknown {
  const start = new RegExp(`^def ${name}\\(`, "m").exec(source)?.index;
  const found = start === undefined ? undefined : /\breturn\b/.exec(source.slice(start));
  if (start === undefined || !found)
    throw new NibbleError("bad_value", `${file}: expected a function ${name} that returns a list, got none`);
  return new LiteralReader(source, start + found.index + "return".length, file).value();
}

class LiteralReader {
  readonly #source: string;
  readonly #file: string;
  #at: number;

  constructor(source: string, at: number, file: string) {
    this.#source = source;
    this.#at = at;
    this.#file = file;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (!found) return undefined;
    this.#at += found[0].length;
    return found;
  }

  /** Takes a sign and the white space around it. */
  #accept(sign: string): boolean {
    this.#take(SPACE);
    if (!this.#source.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    this.#take(SPACE);
    return true;
  }

  #expect(sign: string): void {
    if (!this.#accept(sign)) throw this.#invalid(`${sign}`);
  }

  #invalid(expected: string): NibbleError {
    const line = this.#source.slice(0, this.#at).split("\n").length;
    return new NibbleError("bad_value", `${this.#file}, line ${line}: expected ${expected}; expressions are not run`);
  }

  value(): Literal {
    this.#take(SPACE);
    const constant = this.#take(/(?:True|False|None)\b/y);
    if (constant) return CONSTANTS[constant[0]]!;
    if (this.#accept("[")) return this.#items("]");
    if (this.#accept("(")) return this.#tuple();
    if (this.#accept("{")) return this.#dictionary();
    const number = this.#take(NUMBER);
    if (number) return Number(number[0].replaceAll("_", ""));
    const text = this.#text();
    if (text === undefined) throw this.#invalid("a literal of Python");
    return text;
  }

  #items(closing: string): Literal[] {
    const items: Literal[] = [];
    while (!this.#accept(closing)) {
      items.push(this.value());
      if (!this.#accept(",")) {
        this.#expect(closing);
        break;
      }
    }
    return items;
  }

  /** Parentheses around one value without a comma are the value. */
  #tuple(): Literal {
    if (this.#accept(")")) return [];
    const first = this.value();
    if (this.#accept(")")) return first;
    this.#expect(",");
    return [first, ...this.#items(")")];
  }

  #dictionary(): Literal {
    const entries: [string, Literal][] = [];
    while (!this.#accept("}")) {
      const key = this.#text();
      if (key === undefined) throw this.#invalid("a text as a key");
      this.#expect(":");
      entries.push([key, this.value()]);
      if (!this.#accept(",")) {
        this.#expect("}");
        break;
      }
    }
    return Object.fromEntries(entries);
  }

  /** Texts side by side are one. */
  #text(): string | undefined {
    let text: string | undefined;
    for (;;) {
      this.#take(SPACE);
      const opening = this.#take(TEXT);
      if (!opening) return text;
      const [, prefix, quote] = opening as unknown as [string, string, string];
      const body = this.#take(new RegExp(`((?:\\\\[\\s\\S]|(?!${quote})[\\s\\S])*)${quote}`, "y"));
      if (!body) throw this.#invalid(`the end of a text, ${quote}`);
      text = (text ?? "") + (/r/i.test(prefix) ? body[1]! : unescaped(body[1]!));
    }
  }
}

function unescaped(text: string): string {
  return text.replace(
    /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|[\s\S])/g,
    (whole, code: string) => {
      if (/^[xuU]./.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
      if (/^[0-7]/.test(code)) return String.fromCodePoint(Number.parseInt(code, 8));
      return ESCAPES[code] ?? whole;
    },
  );
}
