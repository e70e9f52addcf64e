/**
 * Reads one call, `{"name": "f", "arguments": {...}}`, character by character, while it is being written.
 * @module
 */

/** The part of a call that a piece of text adds. */
export interface ScannedCall {
  /** The function's name, in the piece that completes it. */
  readonly name: string | undefined;
  /** The next part of the arguments' JSON text. */
  readonly arguments: string;
  /** Characters of the piece that belong to the call. */
  readonly used: number;
}

const NAME_KEYS: ReadonlySet<string> = new Set(["name"]);
const ARGUMENT_KEYS: ReadonlySet<string> = new Set(["arguments", "parameters"]);
/** Keys whose values are skipped. */
const OTHER_KEYS: ReadonlySet<string> = new Set(["type", "id"]);
/** Some models write the call inside of an object under this key, as OpenAI's API has it. */
const WRAPPER = "function";

type Phase = "open" | "key" | "colon" | "value" | "string" | "nested" | "scalar" | "after" | "done" | "failed";

/** A state machine without recursion, which reads each character once. */
export class CallScanner {
  #phase: Phase = "open";
  /** How many objects of the call are open: the wrapper and the call itself. */
  #level = 0;
  #key = "";
  /** JSON text so far of a key, or of a value that is needed as a whole. */
  #text = "";
  #inString = false;
  #escaped = false;
  #depth = 0;
  #name: string | undefined;
  #fragment = "";
  #hasArguments = false;

  get done(): boolean {
    return this.#phase === "done";
  }

  /** The value of the arguments has begun. */
  get hasArguments(): boolean {
    return this.#hasArguments;
  }

  /** The text is not a call. */
  get failed(): boolean {
    return this.#phase === "failed";
  }

  push(text: string): ScannedCall {
    this.#name = undefined;
    this.#fragment = "";
    let used = 0;
    while (used < text.length && this.#phase !== "done" && this.#phase !== "failed") {
      const char = text[used]!;
      // The character that ends a number is not a part of it.
      if (this.#phase === "scalar" && /[\s,}\]]/.test(char)) this.#endValue();
      else {
        this.#read(char);
        used++;
      }
    }
    if (this.#phase === "done" && used > 0 && !this.#hasArguments) this.#fragment = "{}";
    return { name: this.#name, arguments: this.#fragment, used };
  }

  #read(char: string): void {
    if (this.#phase === "string" || this.#phase === "nested" || this.#phase === "scalar") {
      this.#readValue(char);
      return;
    }
    if (this.#inString) {
      this.#text += char;
      if (this.#endsString(char)) this.#endKey();
      return;
    }
    if (/\s/.test(char)) return;
    switch (this.#phase) {
      case "open":
        if (char === "{") this.#enter();
        else this.#phase = "failed";
        return;
      case "key":
        if (char === '"') {
          this.#text = char;
          this.#inString = true;
        } else if (char === "}") this.#leave();
        else this.#phase = "failed";
        return;
      case "colon":
        this.#phase = char === ":" ? "value" : "failed";
        return;
      case "value":
        this.#beginValue(char);
        return;
      case "after":
        if (char === ",") this.#phase = "key";
        else if (char === "}") this.#leave();
        else this.#phase = "failed";
    }
  }

  #enter(): void {
    this.#level++;
    this.#phase = "key";
  }

  #leave(): void {
    this.#level--;
    this.#phase = this.#level === 0 ? "done" : "after";
  }

  #endKey(): void {
    this.#inString = false;
    this.#key = parse(this.#text) ?? "";
    const known = [NAME_KEYS, ARGUMENT_KEYS, OTHER_KEYS].some((keys) => keys.has(this.#key)) || this.#key === WRAPPER;
    this.#phase = known ? "colon" : "failed";
  }

  #beginValue(char: string): void {
    if (this.#key === WRAPPER && char === "{") {
      this.#enter();
      return;
    }
    if (ARGUMENT_KEYS.has(this.#key)) this.#hasArguments = true;
    this.#text = "";
    this.#depth = 0;
    this.#phase = char === '"' ? "string" : char === "{" || char === "[" ? "nested" : "scalar";
    if (this.#phase === "string") {
      this.#inString = true;
      this.#text = char;
    } else this.#readValue(char);
  }

  #readValue(char: string): void {
    if (this.#phase !== "nested" || this.#key === "name") this.#text += char;
    else if (ARGUMENT_KEYS.has(this.#key)) this.#fragment += char;
    if (this.#inString) {
      if (this.#endsString(char) && this.#phase === "string") this.#endValue();
      return;
    }
    if (this.#phase !== "nested") return;
    if (char === '"') this.#inString = true;
    else if (char === "{" || char === "[") this.#depth++;
    else if ((char === "}" || char === "]") && --this.#depth === 0) this.#endValue();
  }

  #endsString(char: string): boolean {
    if (this.#escaped) this.#escaped = false;
    else if (char === "\\") this.#escaped = true;
    else if (char === '"') {
      this.#inString = false;
      return true;
    }
    return false;
  }

  #endValue(): void {
    const phase = this.#phase;
    this.#inString = false;
    this.#phase = "after";
    if (NAME_KEYS.has(this.#key) || (this.#key === WRAPPER && phase === "string")) {
      this.#name = phase === "string" ? parse(this.#text) : undefined;
      if (this.#name === undefined) this.#phase = "failed";
    } else if (ARGUMENT_KEYS.has(this.#key)) {
      // Arguments in a string are JSON text already. null means that there are no arguments.
      if (phase === "string") this.#fragment += parse(this.#text) ?? "";
      else if (phase === "scalar") this.#fragment += this.#text === "null" ? "{}" : this.#text;
    }
  }
}

/** The value of a JSON string; undefined if it is invalid. */
function parse(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}
