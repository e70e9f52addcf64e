/**
 * The rule of keys: every hyper-parameter of a file is read, or known to change nothing, or refused by its name. So a key
 * that this version does not know is never ignored, although it would change the result.
 *
 * Whoever reads a file wraps its values in `RecordedValues`, passes them on, and calls `refuseUnread` at the end. The code
 * in between needs no list of the keys that it reads.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { nearestName, type UnsupportedField } from "../base/field-table.ts";

/** What a file's unread keys may be. */
export interface KeyRules {
  /** What errors call the file, such as "config.json". It stands in front of each key. */
  readonly file: string;
  /** What the values describe, such as "model_type llama". */
  readonly subject: string;
  /** Whether a key changes nothing, whatever its value is. Keys of nested objects are `outer.inner`. */
  readonly isUnused: (key: string) => boolean;
  /** Keys that are refused, unless their value is neutral, which means that it asks for what is done anyway. */
  readonly unsupported: Readonly<Record<string, UnsupportedField>>;
}

/** Values that record which of their keys are asked for. Nested objects do so too. */
export class RecordedValues<V> extends Map<string, V> {
  readonly #source: ReadonlyMap<string, V>;
  readonly #asked = new Set<string>();

  /** @param isJudged the keys that the rule is about. The others can be read, but are not listed. Default: all. */
  constructor(source: ReadonlyMap<string, V>, isJudged: (key: string) => boolean = () => true) {
    super();
    this.#source = source;
    for (const key of source.keys()) {
      if (!isJudged(key)) continue;
      const value = source.get(key)!;
      super.set(key, value instanceof Map ? (new RecordedValues(value) as unknown as V) : value);
    }
  }

  override get(key: string): V | undefined {
    this.#asked.add(key);
    return super.has(key) ? super.get(key) : this.#source.get(key);
  }

  override has(key: string): boolean {
    this.#asked.add(key);
    return this.#source.has(key);
  }

  /** Every key that somebody asked for, whether the file has it or not. */
  asked(prefix = ""): string[] {
    const nested = [...this].flatMap(([key, value]) =>
      value instanceof RecordedValues ? value.asked(`${prefix}${key}.`) : [],
    );
    return [...Array.from(this.#asked, (key) => prefix + key), ...nested];
  }

  /** The keys of the file that nobody asked for, with their values. */
  unread(prefix = ""): [key: string, value: unknown][] {
    return [...this].flatMap(([key, value]): [string, unknown][] => {
      if (!this.#asked.has(key)) return [[prefix + key, value]];
      return value instanceof RecordedValues ? value.unread(`${prefix}${key}.`) : [];
    });
  }
}

/**
 * Refuses the first key that nobody asked for and that could change the result. A value that is null, false or empty asks
 * for nothing, except under the name of a part that every decoder has (`isOnByDefault`).
 * @throws NibbleError `unsupported_architecture` with the key, its value, and the name that was most likely meant
 */
export function refuseUnread(values: RecordedValues<unknown>, rules: KeyRules): void {
  for (const [key, value] of values.unread()) {
    if (value === null || rules.isUnused(key)) continue;
    const found = Object.hasOwn(rules.unsupported, key) ? rules.unsupported[key] : undefined;
    if (found?.neutral?.(value, values)) continue;
    if (found) throw refused(`${rules.file}${key}: ${show(value)} is not supported; ${found.instead}`);
    if (isNothing(value) && !(value === false && isOnByDefault(key))) continue;
    const near = nearestName(key, [...values.asked(), ...Object.keys(rules.unsupported)]);
    const hint = near === undefined || near === key ? "" : `; did you mean ${near}?`;
    throw refused(
      `${rules.file}${key}: this key is not known for ${rules.subject}, and its value ${show(value)} could change the result${hint}`,
    );
  }
}

function isNothing(value: unknown): boolean {
  if (value === false) return true;
  return (Array.isArray(value) && value.length === 0) || (value instanceof Map && value.size === 0);
}

/** Whether `false` would switch off what every decoder here has. */
const isOnByDefault = (key: string): boolean => /rope|rotary|causal|gated|glu|rms/i.test(key);

function show(value: unknown): string {
  if (value instanceof Map) return "an object";
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return "an array";
  return JSON.stringify(value);
}

const refused = (message: string): NibbleError => new NibbleError("unsupported_architecture", message);
