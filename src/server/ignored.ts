/**
 * Records the parts of a request that the server ignores. A response header names them, and the log reports each kind
 * once.
 * @module
 */
import type { NibbleError } from "../base/errors.ts";
import type { FieldRules } from "../base/fields.ts";
import type { Settings } from "./options.ts";

/** The response header that lists ignored fields, separated by commas. */
const HEADER = "x-nibble-ignored";
/** Most names that the header lists, and the characters that each may have there. */
const MAX_LISTED = 20;
const MAX_NAME = 100;
/** Most kinds that the server remembers to have logged. Names come from clients, so their number must be bounded. */
const MAX_TOLD = 1000;

export class Ignored {
  /** An unknown field is ignored, unless the server is strict. */
  readonly rules: FieldRules;
  readonly #names = new Set<string>();
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.rules = settings.strict ? {} : { onUnknown: (error) => this.#unknown(error) };
  }

  #unknown({ param = "", message }: NibbleError): void {
    this.add(param, message.replace(`${param}: `, ""));
  }

  add(name: string, why: string): void {
    this.#names.add(name);
    const { told, onWarning } = this.#settings;
    // `messages[0].id` and `messages[7].id` are one field.
    const kind = name.slice(0, MAX_NAME).replace(/\[\d+\]/g, "[]");
    if (told.has(kind) || told.size >= MAX_TOLD) return;
    told.add(kind);
    onWarning(`requests are answered without ${kind}: ${why}`);
  }

  announce(headers: Headers): void {
    if (this.#names.size === 0) return;
    const names = [...this.#names].slice(0, MAX_LISTED).map(printable);
    headers.set(HEADER, [...names, ...(this.#names.size > MAX_LISTED ? ["..."] : [])].join(", "));
  }
}

/** Only characters that a header may carry; others become question marks. */
function printable(name: string): string {
  return name.slice(0, MAX_NAME).replace(/[^\x21-\x2b\x2d-\x7e]/g, "?");
}
