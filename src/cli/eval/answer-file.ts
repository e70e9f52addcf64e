/**
 * The answers of rows that have several and are not complete, in the folder of an evaluation: one of AIME's rows has 64 answers
 * of up to 30,000 tokens, which a run that is ended would lose. They are appended as they come, one JSON object per line, and
 * the file is removed when the task has all its rows.
 * @module
 */
import { appendFileSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import type { KeptAnswers } from "../../eval/evaluate.ts";
import { ifThere, io, ioError } from "../../hosts/node/io.ts";
import { linesOf, writeText } from "./output.ts";

interface KeptAnswer {
  readonly doc_id: number;
  /** Which of the row's answers it is. */
  readonly sample: number;
  readonly text: string;
}

export class AnswerFile implements KeptAnswers {
  readonly #path: string | undefined;
  /** Whether there is something at the path. */
  #exists = false;
  /** By row, and then by sample. */
  readonly #rows = new Map<number, Map<number, string>>();

  private constructor(path: string | undefined) {
    this.#path = path;
  }

  /**
   * Reads what is there, without answers of complete rows. A line that was cut off is removed before anything is appended to it.
   * @param path undefined: nothing is written
   * @param others files of other runs, such as shards, whose answers count too
   * @throws NibbleError `io_error`
   */
  static async open(
    path: string | undefined,
    others: readonly string[],
    done: ReadonlySet<number>,
  ): Promise<AnswerFile> {
    const file = new AnswerFile(path);
    for (const source of path === undefined ? others : [path, ...others]) {
      if (!(await ifThere(source, () => stat(source)))) continue;
      file.#exists ||= source === path;
      for await (const line of linesOf(source)) {
        const answer = readAnswer(line);
        if (answer && !done.has(answer.doc_id)) file.#set(answer);
      }
    }
    const answers = [...file.#rows].flatMap(([row, texts]) =>
      [...texts].map(([sample, text]) => lineOf({ doc_id: row, sample, text })),
    );
    if (answers.length === 0) await file.remove();
    else await file.#write(answers.join(""));
    return file;
  }

  get(row: number, sample: number): string | undefined {
    return this.#rows.get(row)?.get(sample);
  }

  /** @throws NibbleError `io_error`, such as for a full disk; the answers before are kept */
  add(row: number, sample: number, text: string): void {
    if (this.#path === undefined) return;
    this.#exists = true;
    try {
      appendFileSync(this.#path, lineOf({ doc_id: row, sample, text }));
    } catch (cause) {
      throw ioError(this.#path, cause);
    }
  }

  /** @throws NibbleError `io_error` */
  async remove(): Promise<void> {
    const path = this.#path;
    if (path !== undefined && this.#exists) await io(path, () => rm(path, { force: true }));
    this.#exists = false;
  }

  async #write(text: string): Promise<void> {
    if (this.#path === undefined) return;
    this.#exists = true;
    await writeText(this.#path, text);
  }

  #set({ doc_id, sample, text }: KeptAnswer): void {
    if (!this.#rows.has(doc_id)) this.#rows.set(doc_id, new Map());
    this.#rows.get(doc_id)!.set(sample, text);
  }
}

const lineOf = (answer: KeptAnswer): string => `${JSON.stringify(answer)}\n`;

/** Reads a line of `lineOf`. Returns undefined for a line that was cut off. */
function readAnswer(line: string): KeptAnswer | undefined {
  try {
    const { doc_id, sample, text } = JSON.parse(line) as Partial<KeptAnswer>;
    return typeof doc_id === "number" && typeof sample === "number" && typeof text === "string"
      ? { doc_id, sample, text }
      : undefined;
  } catch {
    return undefined;
  }
}
