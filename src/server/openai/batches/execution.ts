/**
 * Computes one batch: checks its lines, answers its requests, writes its files.
 * @module
 */
import { type IdentifiedRequest, identify } from "../../../batch/identity.ts";
import { Journal } from "../../../batch/journal.ts";
import { readLines } from "../../../batch/lines.ts";
import { ServerPool } from "../../../batch/pool.ts";
import { type BatchRequest, isLineError, type LineError, RequestReader } from "../../../batch/request.ts";
import { resultLine } from "../../../batch/result.ts";
import { runBatch } from "../../../batch/run.ts";
import { batchServer } from "../../../batch/server.ts";
import type { BlobStore } from "../../../batch/store.ts";
import type { FileLibrary, Owner } from "../files/library.ts";
import type { BatchObject, BatchRecord } from "./record.ts";

/** Most requests of a batch, and errors that are reported of one: OpenAI's. */
const MAX_REQUESTS = 50_000;
const MAX_ERRORS = 100;

/** What a batch is computed with. */
export interface Workshop {
  readonly store: BlobStore;
  readonly files: FileLibrary;
  /** Answers a request of a batch. */
  readonly answer: (request: Request, owner: Owner) => Promise<Response>;
  /** Answers that the server computes at once. */
  readonly slots: number;
}

export class Execution {
  readonly #record: BatchRecord;
  readonly #workshop: Workshop;
  #journal: Journal | undefined;
  #total = 0;

  constructor(record: BatchRecord, workshop: Workshop) {
    this.#record = record;
    this.#workshop = workshop;
  }

  get counts(): BatchObject["request_counts"] {
    const completed = this.#journal?.completed ?? 0;
    return { total: this.#total, completed, failed: (this.#journal?.size ?? 0) - completed };
  }

  /** Checks all lines, and opens the results that an earlier run has left. @returns what is wrong */
  async validate(): Promise<readonly LineError[]> {
    const errors: LineError[] = [];
    for await (const read of this.#lines()) {
      this.#total++;
      if (isLineError(read)) errors.push(read);
      if (this.#total > MAX_REQUESTS)
        errors.push(error("too_many_tasks", `a batch has at most ${MAX_REQUESTS} requests`, read));
      if (errors.length >= MAX_ERRORS || this.#total > MAX_REQUESTS) return errors;
    }
    if (this.#total === 0) errors.push(error("empty_file", "there is no request in the file"));
    if (errors.length === 0) this.#journal = await Journal.open(this.#workshop.store, this.#results);
    return errors;
  }

  /** Answers the requests that have no result yet. @throws the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    const { answer, slots } = this.#workshop;
    const server = batchServer({ url: "http://localhost", fetch: (request) => answer(request, this.#record.owner) });
    // The handler is always there, and asking it for its slots would load a model.
    const pool = new ServerPool([{ ...server, probe: async () => slots }], { maxInFlight: slots });
    try {
      await runBatch(this.#missing(), pool, { onResult: (line) => this.#journal!.add(line), signal });
    } finally {
      pool.close();
    }
  }

  /** Gives the requests without a result one that says why. */
  async giveUp(code: string, message: string): Promise<void> {
    for await (const request of this.#missing())
      await this.#journal!.add(resultLine(request, { error: { code, message } }));
  }

  /** Writes the files of results and errors, in the order of the requests. */
  async finish(): Promise<Pick<BatchObject, "output_file_id" | "error_file_id">> {
    const { completed, failed } = this.counts;
    const files = {
      output_file_id: completed > 0 ? await this.#write("o", true) : null,
      error_file_id: failed > 0 ? await this.#write("e", false) : null,
    };
    return files;
  }

  /** Deletes what is needed only while the batch runs. */
  clean(): Promise<void> {
    return this.#workshop.store.delete(this.#results);
  }

  get #results(): string {
    return `${this.#record.batch.id}.results`;
  }

  /** The ids of the files follow from that of the batch, so that a run that was ended leaves none behind. */
  async #write(suffix: "o" | "e", ok: boolean): Promise<string> {
    const { batch, owner, outputExpiresAfter } = this.#record;
    const id = `file-${batch.id.slice("batch_".length)}${suffix}`;
    const filename = `${batch.id}_${ok ? "output" : "error"}.jsonl`;
    const facts = { id, owner, filename, purpose: "batch_output", expiresAfter: outputExpiresAfter };
    await this.#workshop.files.create(facts, this.#journal!.lines(this.#names(), ok));
    return id;
  }

  async *#lines(): AsyncGenerator<BatchRequest | LineError, undefined> {
    const { endpoint, input_file_id: input } = this.#record.batch;
    const reader = new RequestReader(endpoint);
    for await (const { text, number } of readLines(this.#workshop.files.read(input)))
      if (text?.trim() !== "") yield reader.read(text, number);
  }

  async *#requests(): AsyncGenerator<BatchRequest, undefined> {
    for await (const read of this.#lines()) if (!isLineError(read)) yield read;
  }

  async *#names(): AsyncGenerator<string, undefined> {
    for await (const { customId } of this.#requests()) yield customId;
  }

  async *#missing(): AsyncGenerator<IdentifiedRequest, undefined> {
    for await (const request of this.#requests())
      if (this.#journal!.idOf(request.customId) === undefined) yield await identify(request);
  }
}

function error(code: string, message: string, at?: BatchRequest | LineError): LineError {
  return { code, message, line: at && isLineError(at) ? at.line : 1, param: null };
}
