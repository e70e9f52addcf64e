/**
 * The folder of an evaluation: samples are appended as they come, so that a run that was ended goes on where it was.
 * @module
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import { NibbleError } from "../../base/errors.ts";
import { readScored, type Sample, type Scored, sampleLine } from "../../eval/samples.ts";

/** The lines of one task. */
export class SampleFile {
  readonly #path: string | undefined;
  readonly #lines = new Map<number, readonly string[]>();

  /**
   * @param path undefined: nothing is written
   * @param others files of other runs, such as shards, whose rows count as done too
   * @param filters how many lines a row has
   */
  constructor(path: string | undefined, others: readonly string[], filters: number) {
    this.#path = path;
    const files = [...(path === undefined ? [] : [path]), ...others].filter((file) => existsSync(file));
    const rows = new Map<number, string[]>();
    for (const line of files.flatMap((file) => [...new Set(readFileSync(file, "utf8").split("\n"))])) {
      const id = readScored(line)?.id;
      if (id !== undefined) rows.set(id, [...(rows.get(id) ?? []), line]);
    }
    // A row counts when all of its filters were written.
    for (const [id, lines] of rows) if (lines.length >= filters) this.#lines.set(id, lines.slice(0, filters));
    // What was cut off is removed before anything is appended to it.
    if (path !== undefined) writeFileSync(path, textOf([...this.#lines.values()].flat()));
  }

  /** The rows that are there. */
  get done(): ReadonlySet<number> {
    return new Set(this.#lines.keys());
  }

  add(samples: readonly Sample[]): void {
    const lines = samples.map(sampleLine);
    this.#lines.set(samples[0]!.id, lines);
    if (this.#path !== undefined) appendFileSync(this.#path, textOf(lines));
  }

  /** Writes the lines in the order of the rows, whatever the order was in which they came, and returns their scores. */
  async end(): Promise<readonly Scored[]> {
    const lines = [...this.#lines].sort(([a], [b]) => a - b).flatMap(([, own]) => own);
    if (this.#path !== undefined) await writeText(this.#path, textOf(lines));
    return lines.map((line) => readScored(line)!);
  }
}

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

/**
 * Makes the folder, and writes down the settings of the run, or compares them with those of the run that it goes on with.
 * @throws NibbleError `io_error` if another run, with other settings, left its samples there
 */
export function openFolder(folder: string, settings: object): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "run.json");
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  if (!existsSync(path)) writeFileSync(path, text);
  else if (readFileSync(path, "utf8") !== text)
    throw new NibbleError(
      "io_error",
      `${folder}: it holds a run with other settings (run.json); choose another folder`,
    );
}

export function writeText(path: string, text: string): Promise<void> {
  return writeFileAtomically(path, (sink) => sink.write(new TextEncoder().encode(text)));
}
