/**
 * Parses statements, which are the tags between `{%` and `%}`, and the text around them.
 * @module
 */
import { fail } from "./errors.ts";
import { CONSTANTS, ExpressionParser } from "./expressions.ts";
import { tokenize } from "./lexer.ts";
import type { Body, Expression, Filter, For, MacroDefinition, Statement, Target } from "./nodes.ts";

/** The syntax tree of a template. @throws JinjaError if the source is invalid */
export function parse(source: string, trims: boolean): Body {
  return new Parser(tokenize(source, trims)).template();
}

class Parser extends ExpressionParser {
  /** The number of loops around the current place that `break` and `continue` can leave. */
  #loops = 0;

  template(): Body {
    return this.#statements([]);
  }

  /** Parses up to a tag with one of these names. Its name is the current token afterwards. */
  #statements(ends: readonly string[]): Statement[] {
    return this.deeper(() => {
      const body: Statement[] = [];
      let parts: (string | Expression)[] = [];
      let { line } = this.current;
      const flush = () => {
        if (parts.length > 0) body.push({ type: "output", parts, line });
        parts = [];
      };
      for (;;) {
        const token = this.next();
        if (token.type === "{%") {
          flush();
          if (this.current.type === "name" && ends.includes(this.current.value as string)) return body;
          body.push(this.#statement());
          this.expect("%}");
        } else {
          if (parts.length === 0) line = token.line;
          if (token.type === "data") parts.push(token.value as string);
          else if (token.type === "{{") {
            parts.push(this.tuple());
            this.expect("}}");
          } else {
            if (ends.length > 0) this.unexpected(ends.map((end) => `'${end}'`).join(" or "));
            flush();
            return body;
          }
        }
      }
    });
  }

  /** Parses the end of a tag and its body. */
  #body(ends: readonly string[]): Statement[] {
    this.skip(":");
    this.expect("%}");
    return this.#statements(ends);
  }

  /** Parses the end of a tag, its body and its end tag. */
  #whole(end: string): Statement[] {
    const body = this.#body([end]);
    this.next();
    return body;
  }

  /** Parses a body that Jinja2 makes a function of, so that `break` cannot leave it. */
  #function(end: string): Statement[] {
    const loops = this.#loops;
    this.#loops = 0;
    const body = this.#whole(end);
    this.#loops = loops;
    return body;
  }

  #statement(): Statement {
    const { line } = this.current;
    const tag = this.expectName();
    switch (tag) {
      case "for":
        return { line, ...this.#for() };
      case "if":
        return { line, ...this.#if() };
      case "set":
        return { line, ...this.#set() };
      case "macro":
        return { line, ...this.#macro(this.expectName()) };
      case "call": {
        const parameters = this.current.type === "(" ? this.#parameters() : [];
        const call = this.expression();
        if (call.type !== "call") fail("expected a call behind 'call'", line);
        return {
          line,
          type: "callBlock",
          call,
          caller: { type: "macro", name: null, parameters, body: this.#function("endcall") },
        };
      }
      case "filter": {
        let filter = this.filterName(undefined);
        while (this.current.type === "|") filter = this.filter(filter);
        return { line, type: "filterBlock", filter, body: this.#whole("endfilter") };
      }
      case "print":
        return { line, type: "output", parts: this.#prints() };
      case "with":
        return { line, ...this.#with() };
      case "autoescape":
        return { line, type: "autoescape", value: this.expression(), body: this.#whole("endautoescape") };
      case "generation":
        return { line, type: "generation", body: this.#function("endgeneration") };
      case "block":
        return { line, ...this.#block() };
      case "break":
      case "continue":
        if (this.#loops === 0) fail(`'${tag}' outside of a loop`, line);
        return { line, type: tag };
      case "include":
      case "import":
      case "from":
      case "extends":
        return { line, ...this.#load(tag) };
      default:
        fail(`unknown tag '${tag}'`, line);
    }
  }

  #for(): For {
    const target = this.#target();
    this.expectName("in");
    const iterable = this.tuple({ condition: false });
    const test = this.skipName("if") ? this.expression() : undefined;
    const recursive = this.skipName("recursive");
    this.#loops++;
    const body = this.#body(["endfor", "else"]);
    this.#loops--;
    const otherwise = this.next().value === "else" ? this.#whole("endfor") : [];
    return { type: "for", target, iterable, test, recursive, body, otherwise };
  }

  #if() {
    const branches: { test: Expression; body: Body }[] = [];
    for (;;) {
      branches.push({ test: this.tuple({ condition: false }), body: this.#body(["elif", "else", "endif"]) });
      const end = this.next().value;
      if (end === "elif") continue;
      return { type: "if" as const, branches, otherwise: end === "else" ? this.#whole("endif") : [] };
    }
  }

  #set() {
    const target = this.#target({ member: true });
    if (this.skip("=")) return { type: "set" as const, target, value: this.tuple() };
    let filter: Filter | undefined;
    while (this.current.type === "|") filter = this.filter(filter);
    return { type: "setBlock" as const, target, filter, body: this.#whole("endset") };
  }

  #macro(name: string): MacroDefinition {
    return { type: "macro", name, parameters: this.#parameters(), body: this.#function("endmacro") };
  }

  #parameters(): MacroDefinition["parameters"] {
    const parameters: { name: string; value: Expression | undefined }[] = [];
    const { line } = this.expect("(");
    while (this.current.type !== ")") {
      if (parameters.length > 0) this.expect(",");
      const name = this.expectName();
      const value = this.skip("=") ? this.expression() : undefined;
      if (!value && parameters.at(-1)?.value) fail("a parameter without a default follows one with a default", line);
      if (parameters.some((other) => other.name === name)) fail(`the parameter '${name}' comes twice`, line);
      parameters.push({ name, value });
    }
    this.next();
    return parameters;
  }

  #target(options: { member?: boolean } = {}): Target {
    const items: Target[] = [];
    let comma = false;
    while (!this.endsTuple()) {
      items.push(this.#targetItem(options.member ?? false));
      if (!this.skip(",")) break;
      comma = true;
    }
    if (items.length === 0) this.unexpected("a name");
    return items.length === 1 && !comma ? items[0]! : { type: "tuple", items };
  }

  #targetItem(member: boolean): Target {
    if (this.skip("(")) {
      const inner = this.deeper(() => this.#target());
      this.expect(")");
      return inner;
    }
    const { line } = this.current;
    const name = this.expectName();
    if (CONSTANTS.has(name)) fail(`'${name}' cannot be assigned to`, line);
    if (member && this.skip(".")) return { type: "member", object: name, name: this.expectName() };
    return { type: "name", name };
  }

  #prints(): Expression[] {
    const parts: Expression[] = [];
    while (this.current.type !== "%}") {
      if (parts.length > 0) this.expect(",");
      parts.push(this.expression());
    }
    return parts;
  }

  #with() {
    const targets: Target[] = [];
    const values: Expression[] = [];
    while (this.current.type !== "%}") {
      if (targets.length > 0) this.expect(",");
      targets.push(this.#target());
      this.expect("=");
      values.push(this.expression());
    }
    return { type: "with" as const, targets, values, body: this.#whole("endwith") };
  }

  #block() {
    const name = this.expectName();
    const scoped = this.skipName("scoped");
    const required = this.skipName("required");
    const body = this.#function("endblock");
    const blank = (part: string | Expression) => typeof part === "string" && part.trim() === "";
    if (required && !body.every((statement) => statement.type === "output" && statement.parts.every(blank))) {
      fail(`the required block '${name}' has contents`, this.current.line);
    }
    this.skipName(name);
    return { type: "block" as const, name, scoped, required, body };
  }

  /** Parses a tag that loads another template, though running it is an error. */
  #load(tag: string) {
    const source = this.expression();
    let ignoreMissing = false;
    if (tag === "include" && this.isName("ignore") && this.isName("missing", this.following)) {
      this.next();
      this.next();
      ignoreMissing = true;
    }
    if (tag === "import") {
      this.expectName("as");
      this.expectName();
    }
    if (tag === "from") this.expectName("import");
    while (tag !== "extends" && (this.current.type === "name" || (tag === "from" && this.current.type === ",")))
      this.next();
    return { type: "load" as const, tag, source, ignoreMissing };
  }
}
