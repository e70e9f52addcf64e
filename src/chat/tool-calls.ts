/**
 * Separates tool calls from the content of an answer, in a stream.
 * @module
 */
import { CallScanner } from "./call-scanner.ts";
import { parsePythonCall } from "./python-call.ts";
import { CALL_TAGS, PYTHON_TAG, type ToolFormat } from "./tool-format.ts";

export interface CallDelta {
  /** The index of the call in its answer. */
  readonly index: number;
  /** The function's name, in the first piece of a call. */
  readonly name?: string;
  /** The next part of the arguments' JSON text. */
  readonly arguments: string;
}

export interface ToolDelta {
  readonly content: string;
  readonly calls: readonly CallDelta[];
}

export interface ToolParserOptions {
  readonly format: ToolFormat;
  /** The functions that may be called. A call of another one is content. */
  readonly names: ReadonlySet<string>;
  /** Whether an answer may have several calls. If not, those after the first are dropped. */
  readonly parallel: boolean;
}

/** Most characters of white space that are held back before a call. More would be scanned again with every piece. */
const MAX_HELD = 256;

/**
 * Takes text in pieces of any length. However it is cut, the same content and the same calls come out.
 * White space around calls is dropped. Text that begins like a call, but turns out to be none, is content.
 */
export class ToolCallParser {
  readonly #options: ToolParserOptions;
  /** "start": only white space has come so far; "gap": the text after a call. */
  #state: "start" | "text" | "call" | "python" | "gap" = "start";
  #scanner = new CallScanner();
  /** Text that may still become a call or content. */
  #held = "";
  /** Arguments that came before their name. */
  #early = "";
  #named = false;
  #count = 0;
  #content = "";
  #calls: CallDelta[] = [];
  /** The end of the text that `begin` read, as far as it was held back. */
  #known = "";

  constructor(options: ToolParserOptions) {
    this.#options = options;
  }

  /** The number of calls so far. */
  get count(): number {
    return this.#options.parallel ? this.#count : Math.min(1, this.#count);
  }

  /** Reads the beginning of a text that the caller knows: only what comes after it is given as content. */
  begin(text: string): void {
    const { content } = this.push(text);
    // What is held back may turn out to be content: the caller knows it too.
    this.#known = text.slice(content.length);
  }

  push(text: string): ToolDelta {
    let rest = text;
    while (rest !== "") rest = this.#step(rest);
    return this.#take();
  }

  /** Ends the text and returns what was held back. */
  end(): ToolDelta {
    if (this.#state === "python") {
      const call = parsePythonCall(this.#held);
      if (call && this.#options.names.has(call.name)) {
        this.#emit({ index: this.#count++, ...call });
        this.#held = "";
      }
    }
    const silent = this.#count > 0 && this.#held.trim() === "";
    if (!silent && !(this.#state === "call" && this.#named)) this.#content += this.#plain(this.#held);
    this.#held = "";
    return this.#take();
  }

  #step(text: string): string {
    switch (this.#state) {
      case "call":
        return this.#call(text);
      case "python":
        this.#held += text;
        return "";
      default:
        return this.#options.format === "hermes" ? this.#findTag(text) : this.#findStart(text);
    }
  }

  /** Hermes: reads content up to a tag. White space is held back, because a call may follow it. */
  #findTag(text: string): string {
    const [open, close] = CALL_TAGS;
    let all = this.#held + text;
    if (this.#state === "gap") {
      const trimmed = all.trimStart();
      if (trimmed.startsWith(close)) {
        this.#state = "text";
        this.#held = "";
        return trimmed.slice(close.length);
      }
      if (close.startsWith(trimmed)) return this.#hold(all);
      this.#state = "text";
    }
    const at = all.indexOf(open);
    if (at >= 0) {
      const before = all.slice(0, at).trimEnd();
      this.#text(before);
      this.#begin(all.slice(before.length, at + open.length));
      return all.slice(at + open.length);
    }
    const safe = all.slice(0, all.length - beginning(all, open)).trimEnd();
    this.#text(safe);
    all = all.slice(safe.length);
    return this.#hold(all);
  }

  /** Llama 3's tag is a special token. Where no call follows, it is removed from the content. */
  #plain(text: string): string {
    if (this.#options.format === "hermes" || !text.trimStart().startsWith(PYTHON_TAG)) return text;
    return text.replace(PYTHON_TAG, "");
  }

  /** Llama 3: a call is at the beginning of the answer, or after another call. */
  #findStart(text: string): string {
    const all = this.#held + text;
    if (this.#state === "text") {
      this.#text(all);
      this.#held = "";
      return "";
    }
    const open = PYTHON_TAG;
    const separators = this.#state === "gap" ? /^[\s;,]*/ : /^\s*/;
    const start = all.replace(separators, "");
    const body = start.startsWith(open) ? start.slice(open.length).trimStart() : start;
    if (body.startsWith("{")) {
      this.#begin(all.slice(0, all.length - body.length));
      return body;
    }
    if (body === "" || (body === start && open.startsWith(start)) || this.#maybePython(body)) {
      if (!this.#isPython(body)) return this.#hold(all);
      this.#state = "python";
      this.#held = all;
      return "";
    }
    this.#state = "text";
    this.#held = "";
    return this.#plain(all);
  }

  /** Whether the text is `name.call(` of a known function, or a prefix of it. */
  #maybePython(body: string): boolean {
    for (const name of this.#options.names) {
      const call = `${name}.call(`;
      if (call.startsWith(body) || body.startsWith(call)) return true;
    }
    return false;
  }

  #isPython(body: string): boolean {
    return [...this.#options.names].some((name) => body.startsWith(`${name}.call(`));
  }

  #begin(opening: string): void {
    this.#state = "call";
    this.#scanner = new CallScanner();
    this.#held = opening;
    this.#early = "";
    this.#named = false;
  }

  #call(text: string): string {
    const { name, arguments: more, used } = this.#scanner.push(text);
    if (!this.#named) this.#held += text.slice(0, used);
    const unknown = name !== undefined && !this.#options.names.has(name);
    if (
      unknown ||
      (this.#scanner.failed && !this.#named) ||
      (this.#scanner.done && !this.#named && name === undefined)
    ) {
      this.#text(this.#plain(this.#held));
      this.#held = "";
      this.#state = "text";
      return text.slice(used);
    }
    if (name !== undefined && !this.#named) {
      this.#named = true;
      this.#held = "";
      this.#emit({ index: this.#count++, name, arguments: this.#early + more });
    } else if (!this.#named) this.#early += more;
    else if (more !== "") this.#emit({ index: this.#count - 1, arguments: more });
    if (this.#scanner.done || this.#scanner.failed) {
      this.#state = "gap";
      this.#held = "";
    }
    return text.slice(used);
  }

  #emit(call: CallDelta): void {
    if (call.index === 0 || this.#options.parallel) this.#calls.push(call);
  }

  #text(text: string): void {
    if (text === "") return;
    if (this.#state === "start") this.#state = "text";
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

/** The length of the longest suffix of a text that is a prefix of a tag. */
function beginning(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(tag.slice(0, length))) return length;
  }
  return 0;
}
