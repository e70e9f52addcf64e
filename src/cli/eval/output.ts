/**
 * The samples of an evaluation in its folder: they are appended as rows end, so that a run that was ended goes on where it
 * was.
 * @module
 */
import { appendFileSync, createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import { NibbleError } from "../../base/errors.ts";
import { linesInOrder, readScored, type Sample, type Scored, sampleLine, scoredOf } from "../../eval/samples.ts";
import { ifThere, ioError } from "../../hosts/node/io.ts";

interface Line {
  readonly text: string;
  readonly scored: Scored;
}

/** The lines of one task: one for each row and filter. */
export class SampleFile {
  readonly #path: string | undefined;
  /** The complete rows, each with its lines in the order of the filters. */
  readonly #rows = new Map<number, readonly Line[]>();

  private constructor(path: string | undefined) {
    this.#path = path;
  }

  /**
   * Reads what is there. A row counts when the lines of all filters were written. What was cut off is removed before
   * anything is appended to it.
   * @param path undefined: nothing is written
   * @param others files of other runs, such as shards, whose rows count as done too
   * @throws NibbleError `io_error`
   */
  static async open(
    path: string | undefined,
    others: readonly string[],
    filters: readonly string[],
  ): Promise<SampleFile> {
    const file = new SampleFile(path);
    const rows = new Map<number, Map<string, Line>>();
    for (const source of path === undefined ? others : [path, ...others]) {
      // Rows that cannot be read just now must not be replaced by none.
      if (!(await ifThere(source, () => stat(source)))) continue;
      for await (const text of linesOf(source)) {
        const scored = readScored(text);
        if (!scored) continue;
        if (!rows.has(scored.id)) rows.set(scored.id, new Map());
        rows.get(scored.id)!.set(scored.filter, { text, scored });
      }
    }
    for (const [id, lines] of rows) {
      const own = filters.flatMap((filter) => lines.get(filter) ?? []);
      if (own.length === filters.length) file.#rows.set(id, own);
    }
    await file.#write();
    return file;
  }

  /** The rows that are there. */
  get done(): ReadonlySet<number> {
    return new Set(this.#rows.keys());
  }

  /** @throws NibbleError `io_error`, such as for a full disk; the rows before are kept */
  add(samples: readonly Sample[]): void {
    const lines = samples.map((sample) => ({ text: sampleLine(sample), scored: scoredOf(sample) }));
    this.#rows.set(samples[0]!.id, lines);
    if (this.#path === undefined) return;
    try {
      appendFileSync(this.#path, textOf(lines));
    } catch (cause) {
      throw new NibbleError("io_error", `could not write ${this.#path}: ${(cause as Error).message}`, { cause });
    }
  }

  /** Writes the lines in the order of the rows, whatever the order was in which they came, and returns their scores. */
  async end(): Promise<readonly Scored[]> {
    return (await this.#write()).map(({ scored }) => scored);
  }

  async #write(): Promise<readonly Line[]> {
    const lines = linesInOrder(this.#rows);
    if (this.#path !== undefined) await writeText(this.#path, textOf(lines));
    return lines;
  }
}

const textOf = (lines: readonly Line[]): string => lines.map(({ text }) => `${text}\n`).join("");

/**
 * The lines of a file. (Node's readline also ends a line at U+2028, which JSON may hold as it is.)
 * @throws NibbleError `io_error`
 */
export async function* linesOf(path: string): AsyncGenerator<string, undefined> {
  let rest = "";
  try {
    for await (const chunk of createReadStream(path, "utf8") as AsyncIterable<string>) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      yield* lines;
    }
  } catch (cause) {
    throw ioError(path, cause);
  }
  if (rest !== "") yield rest;
}

export function writeText(path: string, text: string): Promise<void> {
  return writeFileAtomically(path, (sink) => sink.write(new TextEncoder().encode(text)));
}
