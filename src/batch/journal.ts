/**
 * The results of a batch while it runs. Each is appended as it comes, so that a run that was ended at any moment goes on with
 * what is missing; at the end they are put into the order of the requests.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { readLines } from "./lines.ts";
import { type ReadResult, readResult } from "./result.ts";
import type { BlobStore } from "./store.ts";

interface Entry {
  readonly id: string;
  readonly ok: boolean;
  readonly final: boolean;
  readonly start: number;
  readonly end: number;
}

export class Journal {
  readonly #store: BlobStore;
  readonly #name: string;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  /** The models that answered, by their servers' `system_fingerprint`. */
  readonly fingerprints: Set<string> = new Set();
  /** The end of the queue of writes: one append at a time. */
  #written: Promise<void> = Promise.resolve();

  private constructor(store: BlobStore, name: string) {
    this.#store = store;
    this.#name = name;
  }

  /**
   * Opens the results that are there. A line that was cut off is removed, and so are results that asking again may better:
   * requests without an answer, and failures of servers.
   * @throws NibbleError `bad_value` for a file that holds something else
   */
  static async open(store: BlobStore, name: string): Promise<Journal> {
    const journal = new Journal(store, name);
    const size = (await store.size(name)) ?? 0;
    if (size === 0) return journal;
    const kept: { readonly start: number; readonly end: number }[] = [];
    for await (const { text, number, start, end, whole } of readLines(store.read(name))) {
      const result = whole ? readResult(text) : undefined;
      if (!result && whole) throw new NibbleError("bad_value", `${name}, line ${number}: it is no result of a batch`);
      if (!result?.final || journal.#entries.has(result.customId)) continue;
      kept.push({ start, end });
      journal.#note(result, end - start);
    }
    if (journal.#bytes !== size) await store.write(name, pieces(store, name, kept));
    return journal;
  }

  #note({ id, customId, ok, final, fingerprint }: ReadResult, bytes: number): void {
    if (fingerprint !== undefined) this.fingerprints.add(fingerprint);
    this.#entries.set(customId, { id, ok, final, start: this.#bytes, end: this.#bytes + bytes });
    this.#bytes += bytes;
  }

  /** The names of the requests that have their result. */
  get names(): Iterable<string> {
    return this.#entries.keys();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The number of results that are what was asked for. */
  get completed(): number {
    return this.#count(({ ok }) => ok);
  }

  /** The number of results that asking again may better. */
  get unanswered(): number {
    return this.#count(({ final }) => !final);
  }

  #count(counts: (entry: Entry) => boolean): number {
    let count = 0;
    for (const entry of this.#entries.values()) count += Number(counts(entry));
    return count;
  }

  /** The id of a request's result; undefined where there is none yet. */
  idOf(customId: string): string | undefined {
    return this.#entries.get(customId)?.id;
  }

  /** Appends a result. The promise resolves when it is in the file. @throws what the store throws */
  add(line: string): Promise<void> {
    const bytes = new TextEncoder().encode(`${line}\n`);
    this.#written = this.#written.then(() => this.#store.append(this.#name, bytes));
    this.#note(readResult(line)!, bytes.length);
    return this.#written;
  }

  /**
   * The lines of the results in a given order, those without a result left out.
   * @param ok only those that are what was asked for, or only the others. Default: all
   */
  async *lines(order: AsyncIterable<string>, ok?: boolean): AsyncGenerator<Uint8Array, undefined> {
    for await (const customId of order) {
      const entry = this.#entries.get(customId);
      if (entry && (ok === undefined || entry.ok === ok)) yield* this.#store.read(this.#name, entry.start, entry.end);
    }
  }
}

async function* pieces(
  store: BlobStore,
  name: string,
  parts: readonly { readonly start: number; readonly end: number }[],
): AsyncGenerator<Uint8Array, undefined> {
  for (const { start, end } of parts) yield* store.read(name, start, end);
}
