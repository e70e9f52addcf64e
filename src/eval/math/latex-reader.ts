/**
 * LaTeX to expressions, with the grammar of sympy's `parse_latex` (1.14), because lm-eval and the final models' evaluation
 * compare what sympy reads: single letters are variables, `e`, `i` and `\pi` among them, `x(y)` is a function's call, and
 * what cannot follow is ignored, so that `1,2` is read as 1.
 * @module
 */
import {
  call,
  type Expression,
  inverse,
  negative,
  number,
  power,
  product,
  type Relation,
  sum,
  textOf,
} from "./expression.ts";
import { LatexCursor, UnreadableLatex, UnsupportedLatex } from "./latex-cursor.ts";
import { functionOf, SCRIPTS, type Scripts, withoutTimes } from "./latex-meaning.ts";
import { FUNCTIONS, tokensOf } from "./latex-tokens.ts";

const RELATIONS: ReadonlySet<string> = new Set<Relation["operator"]>(["=", "<", "<=", ">", ">=", "!="]);
const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", "\\{": "\\}" };
const ATOM_STARTS = new Set(["letter", "symbol", "digit", "differential", "\\mathit", "\\frac", "\\binom"]);
const FUNCTION_STARTS = new Set([...FUNCTIONS, "\\sqrt", "\\overline", "\\sum", "\\prod", "\\lim", "\\int"]);
const OTHER_STARTS = new Set([...Object.keys(CLOSING), "|", "\\lfloor", "\\lceil", "\\langle", "\\left|"]);
const NUMBER = /^\d+(,\d{3})*(\.\d+)?$/;
/** Bars can be read in many ways, all of which are tried. */
const MOST_BARS = 12;
const MOST_TOKENS = 2000;

/**
 * Reads the longest beginning of a text that is a relation or an expression.
 * @throws UnreadableLatex, UnsupportedLatex
 */
export function readLatex(text: string): Expression | Relation {
  const tokens = tokensOf(text.trim());
  if (tokens.length > MOST_TOKENS || tokens.filter(({ type }) => type === "|").length > MOST_BARS)
    throw new UnsupportedLatex("too long");
  return new LatexReader(tokens).relation();
}

class LatexReader extends LatexCursor {
  #startsOperand(functions: boolean): boolean {
    const type = this.peek();
    return ATOM_STARTS.has(type) || OTHER_STARTS.has(type) || (functions && FUNCTION_STARTS.has(type));
  }

  relation(): Expression | Relation {
    let left: Expression | Relation = this.expression();
    for (;;) {
      const operator = this.peek() as Relation["operator"];
      if (!RELATIONS.has(operator)) return left;
      this.at++;
      // An inequality has no value that another one could compare.
      if (left.type === "relation" && operator !== "=" && operator !== "!=") throw new UnreadableLatex();
      left = { type: "relation", operator, left, right: this.expression() };
    }
  }

  expression(): Expression {
    let left = this.#product();
    for (;;) {
      const operator = this.peek();
      if (operator !== "+" && operator !== "-") return left;
      const right = this.afterOperator(() => this.#product());
      if (!right) return left;
      left = sum(left, operator === "-" ? negative(right) : right);
    }
  }

  /** @param functions whether functions are read among the factors; in an argument without parentheses only the first may be one */
  #product(functions = true): Expression {
    let left = this.#signed(functions);
    for (;;) {
      const operator = this.peek();
      if (operator !== "*" && operator !== "/") return left;
      const right = this.afterOperator(() => this.#signed(functions));
      if (!right) return left;
      left = product(left, operator === "/" ? inverse(right) : right);
    }
  }

  #signed(functions: boolean): Expression {
    if (this.accept("+")) return this.#signed(functions);
    if (this.accept("-")) return negative(this.#signed(functions));
    const factors = [this.#postfix(true)];
    for (;;) {
      if (!this.#startsOperand(functions) || this.at === this.unreadable) break;
      const factor = this.attempt(() => this.#postfix(functions));
      if (factor === undefined) break;
      factors.push(factor);
    }
    return withoutTimes(factors);
  }

  #postfix(functions: boolean): Expression {
    let base = this.#component(functions);
    while (this.peek() === "^") {
      const exponent = this.attempt(() => this.#superscript());
      if (!exponent) break;
      base = power(base, exponent);
      if (this.peek() === "_") this.#subscript();
    }
    for (;;) {
      if (this.accept("!")) base = call("factorial", base);
      else if (this.peek() === "|" && (this.peek(1) === "_" || this.peek(1) === "^"))
        throw new UnsupportedLatex("values at a point");
      else return base;
    }
  }

  #component(functions: boolean): Expression {
    const type = this.peek();
    const closing = CLOSING[type];
    if (closing !== undefined) return this.#within(type, closing);
    if (type === "|") return call("abs", this.#betweenBars());
    if (type === "\\lfloor") return call("floor", this.#within(type, "\\rfloor"));
    if (type === "\\lceil") return call("ceiling", this.#within(type, "\\rceil"));
    if (functions) {
      if (FUNCTION_STARTS.has(type)) return this.#function(type);
      if (type === "letter" || type === "symbol") {
        const applied = this.attempt(() => this.#application());
        if (applied) return applied;
      }
    }
    return this.#atom();
  }

  #within(opening: string, closing: string): Expression {
    this.expect(opening);
    const inner = this.expression();
    this.expect(closing);
    return inner;
  }

  /** Between a bar and the last one that can close it. */
  #betweenBars(): Expression {
    const first = this.at;
    for (let end = this.tokens.length - 1; end > first; end--) {
      if (this.tokens[end]!.type !== "|") continue;
      const inner = new LatexReader([...this.tokens.slice(first + 1, end), { type: "end", text: "" }]);
      const found = inner.attempt(() => inner.expression());
      if (!found || inner.peek() !== "end") continue;
      this.at = end + 1;
      return found;
    }
    throw new UnreadableLatex();
  }

  #application(): Expression {
    const name = this.#name();
    this.expect("(");
    const args = [this.expression()];
    while (this.accept(",")) args.push(this.expression());
    this.expect(")");
    return { type: "apply", name, args };
  }

  #atom(): Expression {
    const type = this.peek();
    if (type === "letter") return { type: "symbol", name: this.#name() };
    if (type === "symbol") {
      const name = this.#name();
      return name === "infty" || name.startsWith("infty_") ? { type: "infinity" } : { type: "symbol", name };
    }
    if (type === "digit") return this.number();
    if (type === "differential")
      return { type: "symbol", name: `d${this.take().text.slice(1).trim().replace("\\", "")}` };
    if (type === "\\frac") return this.#fraction();
    if (type === "\\binom") {
      this.at++;
      return call("binomial", this.#within("{", "}"), this.#within("{", "}"));
    }
    if (type === "\\mathit") {
      this.at++;
      this.expect("{");
      let name = "";
      while (this.peek() === "letter") name += this.take().text;
      this.expect("}");
      return { type: "symbol", name };
    }
    if (type === "\\langle" || type === "\\left|") throw new UnsupportedLatex("states of quantum mechanics");
    throw new UnreadableLatex();
  }

  /** A letter or command, with a subscript and primes in either order. */
  #name(): string {
    const { type, text } = this.take();
    let name = text.replace("\\", "");
    let primes = this.peek() === "primes" ? this.take().text : "";
    if (this.peek() === "_") name += `_{${textOf(this.#subscript())}}`;
    if (primes === "" && this.peek() === "primes") primes = this.take().text;
    return type === "letter" ? name + primes : name;
  }

  #fraction(): Expression {
    this.at++;
    const part = (): Expression => (this.peek() === "digit" ? number(this.take().text) : this.#within("{", "}"));
    const start = this.at;
    const top = part();
    const bottomStart = this.at;
    const bottom = part();
    // The token after the brace.
    const isDerivative = (at: number): boolean =>
      this.tokens[at + 1]!.type === "differential" && this.tokens[at + 2]!.type === "}";
    const isPartial = this.tokens[bottomStart + 1]!.text === "\\partial";
    if ((isDerivative(bottomStart) && this.tokens[start + 1]!.text.startsWith("d")) || isPartial)
      throw new UnsupportedLatex("derivatives");
    return product(top, inverse(bottom));
  }

  /** What is behind `_` or `^`: an atom or a group. */
  #script(): Expression {
    return this.peek() === "{" ? this.#within("{", "}") : this.#atom();
  }

  #subscript(): Expression {
    this.expect("_");
    return this.#script();
  }

  #superscript(): Expression {
    this.expect("^");
    return this.#script();
  }

  #function(type: string): Expression {
    const { text } = this.take();
    switch (type) {
      case "\\sqrt": {
        const root = this.peek() === "[" ? this.#within("[", "]") : number("2");
        return power(this.#within("{", "}"), inverse(root));
      }
      case "\\overline":
        return call("conjugate", this.#within("{", "}"));
      case "\\sum":
      case "\\prod":
        return this.#series(type === "\\sum" ? "sum" : "product");
      case "\\lim":
      case "\\int":
        throw new UnsupportedLatex("limits and integrals");
      default:
        return this.#namedFunction(text.slice(1));
    }
  }

  #series(name: "sum" | "product"): Expression {
    let index: Expression | undefined;
    let from: Expression | undefined;
    let to: Expression | undefined;
    for (let i = 0; i < 2; i++)
      if (this.peek() === "_") {
        this.at++;
        this.expect("{");
        index = this.expression();
        this.expect("=");
        from = this.expression();
        this.expect("}");
      } else to = this.#superscript();
    if (!from || !to || index?.type !== "symbol") throw new UnreadableLatex();
    return { type: "series", name, index: index.name, from, to, body: this.#product() };
  }

  /** A function behind its name: subscript and exponent in either order, then the argument. */
  #namedFunction(name: string, scripts: Scripts = {}): Expression {
    const key = SCRIPTS.find(([sign, key]) => this.peek() === sign && scripts[key] === undefined)?.[1];
    if (!key) {
      const inParentheses = this.peek() === "(" ? this.attempt(() => this.#argumentInParentheses()) : undefined;
      return functionOf(name, inParentheses ?? this.#product(false), scripts);
    }
    this.at++;
    const start = this.at;
    const whole = this.#script();
    if (this.tokens[start]!.type !== "digit") return this.#namedFunction(name, { ...scripts, [key]: whole });
    // Of a number without braces so many digits belong to the script that something is left as the argument.
    for (let end = this.at; end > start; end--) {
      const text = this.tokens.slice(start, end).map((token) => token.text);
      if (!NUMBER.test(text.join(""))) continue;
      this.at = end;
      const script = number(text.join("").replaceAll(",", ""));
      const found = this.attempt(() => this.#namedFunction(name, { ...scripts, [key]: script }));
      if (found) return found;
    }
    throw new UnreadableLatex();
  }

  #argumentInParentheses(): Expression {
    this.expect("(");
    const first = this.expression();
    while (this.accept(",")) this.expression();
    this.expect(")");
    return first;
  }
}
