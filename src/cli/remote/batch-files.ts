/**
 * The files of `nibble batch`: requests are read as a stream, and results are appended until all are there.
 * @module
 */
import { createReadStream, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import { type IdentifiedRequest, identify } from "../../batch/identity.ts";
import { Journal } from "../../batch/journal.ts";
import { type Line, readLines } from "../../batch/lines.ts";
import { type BatchRequest, isLineError, type LineError, RequestReader } from "../../batch/request.ts";
import { resultId } from "../../batch/result.ts";
import type { BlobStore } from "../../batch/store.ts";
import { folderBlobs } from "./folder-blobs.ts";

/** Wrong lines that are reported one by one. */
const SHOWN_ERRORS = 10;

interface OpenFiles {
  /** The path of the requests. */
  readonly requests: string;
  /** The folder of the results, and their name in it. */
  readonly store: BlobStore;
  readonly results: string;
  readonly journal: Journal;
  readonly total: number;
}

export class BatchFiles {
  readonly #requests: string;
  readonly #store: BlobStore;
  readonly #results: string;
  readonly journal: Journal;
  /** The number of requests. */
  readonly total: number;

  private constructor({ requests, store, results, journal, total }: OpenFiles) {
    this.#requests = requests;
    this.#store = store;
    this.#results = results;
    this.journal = journal;
    this.total = total;
  }

  /**
   * Checks every request before any of them is sent, and the results that are there already.
   * @throws NibbleError `bad_value` with OpenAI's code for wrong lines; `io_error` for results of other requests
   */
  static async open(requests: string, results: string): Promise<BatchFiles> {
    const store = folderBlobs(dirname(resolve(results)));
    const name = basename(results);
    const journal = await Journal.open(store, name);
    const unknown = new Set(journal.names);
    const errors: LineError[] = [];
    let total = 0;
    for await (const read of readRequests(requests)) {
      total++;
      if (isLineError(read)) errors.push(read);
      else if (unknown.delete(read.customId)) {
        const id = resultId(await identify(read));
        if (id !== journal.idOf(read.customId)) throw foreign(results, requests, read.customId);
      }
      if (errors.length > SHOWN_ERRORS) break;
    }
    if (errors.length > 0) throw wrongLines(requests, errors);
    if (total === 0) throw new NibbleError("bad_value", `${requests}: empty_file: there is no request in it`);
    const [first] = unknown;
    if (first !== undefined) throw foreign(results, requests, first);
    return new BatchFiles({ requests, store, results: name, journal, total });
  }

  /** The requests without a result, in their order. */
  async *missing(): AsyncGenerator<IdentifiedRequest, undefined> {
    for await (const read of readRequests(this.#requests)) {
      if (isLineError(read)) throw wrongLines(this.#requests, [read]); // the file has changed
      if (this.journal.idOf(read.customId) === undefined) yield await identify(read);
    }
  }

  /** Puts the results into the order of the requests. */
  async sort(): Promise<void> {
    await this.#store.write(this.#results, this.journal.lines(names(this.#requests)));
  }
}

async function* names(requests: string): AsyncGenerator<string, undefined> {
  for await (const read of readRequests(requests)) if (!isLineError(read)) yield read.customId;
}

/** The requests of a file; empty lines are passed over. */
async function* readRequests(path: string): AsyncGenerator<BatchRequest | LineError, undefined> {
  const reader = new RequestReader();
  for await (const { text, number } of linesOf(path)) if (text?.trim() !== "") yield reader.read(text, number);
}

async function* linesOf(path: string): AsyncGenerator<Line, undefined> {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new NibbleError("missing_file", `${path}: there is no such file`);
  if (!stats.isFile())
    throw new NibbleError("missing_file", `${path}: expected a file of requests, one JSON object per line`);
  try {
    yield* readLines(createReadStream(path, { highWaterMark: 2 ** 18 }));
  } catch (error) {
    if (!(error instanceof NibbleError)) throw error;
    throw new NibbleError(error.code, `${path}, ${error.message}`, { cause: error });
  }
}

function wrongLines(path: string, errors: readonly LineError[]): NibbleError {
  const lines = errors.slice(0, SHOWN_ERRORS).map(({ line, code, message }) => `line ${line}: ${code}: ${message}`);
  const more = errors.length > SHOWN_ERRORS ? "; and more" : "";
  return new NibbleError("bad_value", `${path}: ${lines.join("; ")}${more}`);
}

function foreign(results: string, requests: string, customId: string): NibbleError {
  return new NibbleError(
    "io_error",
    `${results}: its result of ${JSON.stringify(customId.slice(0, 100))} belongs to no request of ${requests}; choose another file, or start anew with --force`,
  );
}
