/**
 * Tells calls of tools from an answer's text, in a stream.
 * @module
 */
import { beginning, behindCall, findOpener } from "./call-openers.ts";
import { CallScanner } from "./call-scanner.ts";
import { parsePythonCall } from "./python-call.ts";
import { CALL_TAGS, PYTHON_TAG, type ToolFormat } from "./tool-format.ts";

export interface CallDelta {
  /** Which call. */
  readonly index: number;
  /** In a call's first piece. */
  readonly name?: string;
  /** More of its arguments' JSON text. */
  readonly arguments: string;
}

export interface ToolDelta {
  readonly content: string;
  readonly calls: readonly CallDelta[];
}

export interface ToolParserOptions {
  readonly format: ToolFormat;
  /** Functions that may be called; a call of another one stays text. */
  readonly names: ReadonlySet<string>;
  /** The answer may have several calls. Otherwise all but the first are left out. */
  readonly parallel: boolean;
  /** Hermes: a call counts without its tags too, where a line begins with its JSON, bare or in a fence. */
  readonly bare?: boolean;
  /** The answer is held to be a call, so a beginning of one is never text. */
  readonly required?: boolean;
}

/** White space before a call that is held back. More of it is text, so that it is not looked at again and again. */
const MAX_HELD = 256;

/** Where the text is: "start" before anything but white space, "gap" behind a call. */
type State = "start" | "text" | "call" | "python" | "gap";

/**
 * Text goes in as it comes, in pieces of any length; what comes out joins to the same content and the same calls.
 * White space around calls belongs to neither. Text that begins like a call and is none comes out as text.
 */
export class ToolCallParser {
  readonly #options: ToolParserOptions;
  #state: State = "start";
  #scanner = new CallScanner();
  /** Text whose meaning is not certain. */
  #held = "";
  /** Whether `#held`, or the next text, begins a line. */
  #lineStart = true;
  /** The call has no tag. */
  #bare = false;
  /** The call's name, before the call is certain, and arguments that came by then. */
  #name: string | undefined;
  #early = "";
  #emitted = false;
  #count = 0;
  #content = "";
  #calls: CallDelta[] = [];
  /** The end of the text that `begin` read, as far as it was held back. */
  #known = "";

  constructor(options: ToolParserOptions) {
    this.#options = options;
  }

  /** Calls so far. */
  get count(): number {
    return this.#options.parallel ? this.#count : Math.min(1, this.#count);
  }

  /**
   * Reads the beginning of a text that the caller knows: only what comes after it is given as content. Its calls are given
   * with the next text, because the rest of a call means nothing without its name.
   */
  begin(text: string): void {
    const { content, calls } = this.push(text);
    this.#calls = [...calls];
    // Held-back text may turn out to be content, which the caller knows too.
    this.#known = text.slice(content.length);
  }

  push(text: string): ToolDelta {
    let rest = text;
    while (rest !== "") rest = this.#step(rest);
    return this.#take();
  }

  /**
   * The text that was held back, when no more text comes.
   * @param cut the text was cut off; then the beginning of a call or of a tag is not shown as text
   */
  end(cut = false): ToolDelta {
    if (this.#state === "python") {
      const call = parsePythonCall(this.#held);
      if (call && this.#options.names.has(call.name)) {
        this.#emit({ index: this.#count++, ...call });
        this.#held = "";
      }
    }
    this.#content += this.#rest(cut);
    this.#held = "";
    return this.#take();
  }

  /** The held-back text that turned out to be no call. */
  #rest(cut: boolean): string {
    const { format, required } = this.#options;
    if (this.#state === "gap" || (this.#count > 0 && this.#held.trim() === "")) return "";
    if (this.#state === "call" && (this.#emitted || (cut && (required || (format === "hermes" && !this.#bare)))))
      return "";
    if (cut && required) return "";
    const tag = cut && format === "hermes" ? beginning(this.#held, CALL_TAGS[0]) : 0;
    return this.#plain(this.#held.slice(0, this.#held.length - tag));
  }

  #step(text: string): string {
    switch (this.#state) {
      case "call":
        return this.#call(text);
      case "python":
        this.#held += text;
        return "";
      default:
        return this.#options.format === "hermes" ? this.#findHermes(text) : this.#findLlama(text);
    }
  }

  /** Hermes: text up to where a call begins. White space is held, since a call may follow. */
  #findHermes(text: string): string {
    let all = this.#held + text;
    if (this.#state === "gap") {
      const rest = behindCall(all, this.#bare);
      if (rest === undefined) return this.#hold(all);
      all = rest;
      this.#state = "text";
      this.#lineStart = true;
    }
    const opener = findOpener(all, this.#lineStart, this.#options.bare ?? false);
    const before = all.slice(0, opener?.at).trimEnd();
    this.#text(before);
    if (opener?.body === undefined) return this.#hold(all.slice(before.length));
    this.#begin(all.slice(before.length, opener.body), opener.bare);
    return all.slice(opener.body);
  }

  /** Llama 3's tag is a special token: where no call follows it, it is not part of the text. */
  #plain(text: string): string {
    if (this.#options.format === "hermes" || !text.trimStart().startsWith(PYTHON_TAG)) return text;
    return text.replace(PYTHON_TAG, "");
  }

  /** Llama 3: a call is at the beginning, or behind another one. */
  #findLlama(text: string): string {
    const all = this.#held + text;
    if (this.#state === "text") {
      this.#text(all);
      this.#held = "";
      return "";
    }
    const separators = this.#state === "gap" ? /^[\s;,]*/ : /^\s*/;
    const start = all.replace(separators, "");
    const body = start.startsWith(PYTHON_TAG) ? start.slice(PYTHON_TAG.length).trimStart() : start;
    if (body.startsWith("{")) {
      this.#begin(all.slice(0, all.length - body.length), false);
      return body;
    }
    const unsettled = body === "" || (body === start && PYTHON_TAG.startsWith(start)) || this.#maybePython(body);
    if (unsettled && !this.#isPython(body)) return this.#hold(all);
    this.#state = unsettled ? "python" : "text";
    this.#held = unsettled ? all : "";
    return unsettled ? "" : this.#plain(all);
  }

  /** `name.call(` of a known function, or its beginning. */
  #maybePython(body: string): boolean {
    return [...this.#options.names].some(
      (name) => `${name}.call(`.startsWith(body) || body.startsWith(`${name}.call(`),
    );
  }

  #isPython(body: string): boolean {
    return [...this.#options.names].some((name) => body.startsWith(`${name}.call(`));
  }

  #begin(opening: string, bare: boolean): void {
    this.#state = "call";
    this.#scanner = new CallScanner();
    this.#held = opening;
    this.#bare = bare;
    this.#name = undefined;
    this.#early = "";
    this.#emitted = false;
  }

  #call(text: string): string {
    const scanner = this.#scanner;
    const { name, arguments: more, used } = scanner.push(text);
    this.#name ??= name;
    if (this.#emitted) {
      if (more !== "") this.#emit({ index: this.#count - 1, arguments: more });
    } else {
      this.#held += text.slice(0, used);
      this.#early += more;
      this.#settle();
    }
    if (this.#emitted && (scanner.done || scanner.failed)) {
      this.#state = "gap";
      this.#held = "";
    }
    return text.slice(used);
  }

  /** Emits the call as soon as it is certain that it is one; gives its text back if it is none. */
  #settle(): void {
    const { done, failed, hasArguments } = this.#scanner;
    const name = this.#name;
    const known = name !== undefined && this.#options.names.has(name);
    if (known && (!this.#bare || hasArguments)) {
      this.#emitted = true;
      this.#held = "";
      this.#emit({ index: this.#count++, name, arguments: this.#early });
    } else if (failed || done || (name !== undefined && !known)) {
      const held = this.#plain(this.#held);
      this.#text(held);
      this.#lineStart = held.endsWith("\n");
      this.#held = "";
      this.#state = "text";
    }
  }

  #emit(call: CallDelta): void {
    if (call.index === 0 || this.#options.parallel) this.#calls.push(call);
  }

  #text(text: string): void {
    if (text === "") return;
    if (this.#state === "start") this.#state = "text";
    this.#lineStart = false;
    this.#content += text;
  }

  #hold(text: string): string {
    const over = text.length - MAX_HELD;
    if (over > 0) this.#text(text.slice(0, over));
    this.#held = over > 0 ? text.slice(over) : text;
    return "";
  }

  #take(): ToolDelta {
    const known = this.#content.startsWith(this.#known) ? this.#known.length : 0;
    const delta = { content: this.#content.slice(known), calls: this.#calls };
    if (this.#content !== "") this.#known = "";
    this.#content = "";
    this.#calls = [];
    return delta;
  }
}
