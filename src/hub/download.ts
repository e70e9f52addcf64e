/**
 * A remote file into a partial one: several ranges at once, what is there already stays, every piece checked.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { type Hasher, type PartialFile, PIECE_BYTES } from "./cache.ts";
import { type Answer, checkStatus, type HttpOptions, Patience, request, TemporaryError } from "./http.ts";
import { type RemoteFile, tagOf } from "./remote.ts";
import { digest } from "./sha256.ts";

export interface DownloadOptions extends HttpOptions {
  /** Requests at once. Default 4. */
  readonly connections?: number | undefined;
  /** Bytes of this file that are there. */
  readonly onBytes?: ((loaded: number) => void) | undefined;
}

/** The file on the server is another one than when it was begun. */
export class ChangedError extends NibbleError {
  constructor(host: string) {
    super("io_error", `${host} changed the file while it was fetched`);
  }
}

/** The server answers a range with the whole file. */
class NoRanges extends Error {}

/** Pieces of one request: few requests, and the hash is never far behind. */
const PIECES_AT_ONCE = 16;

/**
 * Fetches what is missing.
 * @returns hex of the whole file's SHA-256
 * @throws ChangedError; NibbleError `io_error` where the server keeps failing or lies, `missing_file`
 */
export async function download(
  remote: RemoteFile,
  file: PartialFile,
  hasher: Hasher,
  options: DownloadOptions,
): Promise<string> {
  const pieces = new Pieces(remote.bytes, file, hasher, options.onBytes);
  await pieces.keepSound();
  // Without a hash or tag, ranges of two versions would fit together unseen.
  const mixable = remote.sha256 !== undefined || remote.tag !== undefined;
  try {
    if (!mixable) throw new NoRanges();
    await inParallel(remote, pieces, options);
  } catch (error) {
    if (!(error instanceof NoRanges)) throw error;
    await inOrder(remote, pieces, options, mixable);
  }
  return pieces.sha256();
}

/**
 * Fills a partial file from a stream.
 * @returns hex of its SHA-256
 * @throws NibbleError `truncated` for another length
 */
export async function store(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
  file: PartialFile,
  hasher: Hasher,
): Promise<string> {
  const pieces = new Pieces(bytes, file, hasher);
  const cursor = new Cursor(pieces, 0, pieces.count);
  let exact = true;
  for await (const chunk of chunks) exact = (await cursor.push(chunk)) && exact;
  if (!exact || !cursor.done)
    throw new NibbleError("truncated", `expected ${bytes} bytes, got ${exact ? cursor.offset : "more"}`);
  return pieces.sha256();
}

/** What is there, and the hash of its beginning. */
class Pieces {
  readonly count: number;
  readonly #bytes: number;
  readonly #file: PartialFile;
  readonly #hasher: Hasher;
  readonly #have: boolean[];
  readonly #onBytes: ((loaded: number) => void) | undefined;
  #loaded = 0;
  #hashed = 0;
  #hashing: Promise<void> = Promise.resolve();
  /** The first piece that nobody asked for. */
  #next = 0;

  constructor(bytes: number, file: PartialFile, hasher: Hasher, onBytes?: (loaded: number) => void) {
    this.count = Math.ceil(bytes / PIECE_BYTES);
    this.#bytes = bytes;
    this.#file = file;
    this.#hasher = hasher;
    this.#have = new Array<boolean>(this.count).fill(false);
    this.#onBytes = onBytes;
  }

  lengthOf(piece: number): number {
    return Math.min(PIECE_BYTES, this.#bytes - piece * PIECE_BYTES);
  }

  /** Bytes that are there. */
  get loaded(): number {
    return this.#loaded;
  }

  get complete(): boolean {
    return this.#loaded === this.#bytes;
  }

  /** An ended process may have left pieces that never reached the disk. */
  async keepSound(): Promise<void> {
    for (const [piece, expected] of this.#file.digests) {
      if (piece >= this.count) continue;
      const bytes = await this.#file.read(piece).catch(() => undefined);
      if (bytes && bytes.length === this.lengthOf(piece) && sameBytes(await digest(bytes), expected)) this.#keep(piece);
    }
    this.#advance();
  }

  /** The next run of missing pieces, to be fetched by who takes it. */
  take(): { first: number; end: number } | undefined {
    while (this.#next < this.count && this.#have[this.#next]) this.#next++;
    if (this.#next === this.count) return undefined;
    const first = this.#next;
    while (this.#next < Math.min(this.count, first + PIECES_AT_ONCE) && !this.#have[this.#next]) this.#next++;
    return { first, end: this.#next };
  }

  async write(piece: number, bytes: Uint8Array): Promise<void> {
    if (this.#have[piece]) return;
    await this.#file.write(piece, bytes, await digest(bytes));
    this.#keep(piece);
    this.#advance();
    await this.#hashing;
  }

  async sha256(): Promise<string> {
    await this.#hashing;
    return this.#hasher.hex();
  }

  #keep(piece: number): void {
    this.#have[piece] = true;
    this.#loaded += this.lengthOf(piece);
    this.#onBytes?.(this.#loaded);
  }

  /** Hashes on, as far as there is no gap. */
  #advance(): void {
    this.#hashing = this.#hashing.then(async () => {
      for (; this.#have[this.#hashed]; this.#hashed++) this.#hasher.update(await this.#file.read(this.#hashed));
    });
    this.#hashing.catch(() => {}); // whoever awaits it is told
  }
}

/** Where a request stands: in a piece, with what came of it. It outlives the request. */
class Cursor {
  readonly #pieces: Pieces;
  readonly #end: number;
  #piece: number;
  #buffer: Uint8Array<ArrayBuffer>;
  #filled = 0;

  /** Pieces `first` to `end`. */
  constructor(pieces: Pieces, first: number, end: number) {
    this.#pieces = pieces;
    this.#piece = first;
    this.#end = end;
    this.#buffer = new Uint8Array(pieces.lengthOf(first));
  }

  /** Of the next byte. */
  get offset(): number {
    return this.#piece * PIECE_BYTES + this.#filled;
  }

  get done(): boolean {
    return this.#piece === this.#end;
  }

  /** @returns whether all bytes were wanted */
  async push(chunk: Uint8Array): Promise<boolean> {
    for (let at = 0; at < chunk.length; ) {
      if (this.done) return false;
      const part = chunk.subarray(at, at + this.#buffer.length - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < this.#buffer.length) continue;
      await this.#pieces.write(this.#piece, this.#buffer);
      this.#filled = 0;
      if (++this.#piece < this.#end) this.#buffer = new Uint8Array(this.#pieces.lengthOf(this.#piece));
    }
    return true;
  }
}

/** Bytes of one request that make it a success even if it fails then. */
const PROGRESS = 64 * 1024;

async function inParallel(remote: RemoteFile, pieces: Pieces, options: DownloadOptions): Promise<void> {
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const work = async (): Promise<void> => {
    const patience = new Patience({ ...options, signal });
    for (let run = pieces.take(); run; run = pieces.take()) {
      const cursor = new Cursor(pieces, run.first, run.end);
      const last = Math.min(run.end * PIECE_BYTES, remote.bytes) - 1;
      while (!cursor.done) {
        const before = cursor.offset;
        try {
          await fetchRange(remote, cursor, last, { ...options, signal });
        } catch (error) {
          if (cursor.offset - before >= PROGRESS) patience.renew();
          await patience.endure(error);
        }
      }
      patience.renew();
    }
  };
  const workers = Array.from({ length: options.connections ?? 4 }, () =>
    work().catch((error: unknown) => failed.abort(error)),
  );
  await Promise.all(workers);
  options.signal?.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason; // the first failure: the others followed it
}

/** From where the cursor stands to `last`. @throws NoRanges, ChangedError, TemporaryError */
async function fetchRange(remote: RemoteFile, cursor: Cursor, last: number, options: HttpOptions): Promise<void> {
  const start = cursor.offset;
  const answer = await request(
    remote.url,
    { range: `bytes=${start}-${last}`, ...(remote.tag && !remote.sha256 && { "if-range": remote.tag }) },
    options,
  );
  try {
    if (answer.status === 416) throw new ChangedError(answer.url.host);
    checkStatus(answer, [200, 206]);
    checkVersion(remote, answer);
    if (answer.status === 206) checkRange(answer, start, last, remote.bytes);
    else if (start > 0 || last < remote.bytes - 1) throw new NoRanges();
    await fill(cursor, answer, last + 1);
  } finally {
    answer.discard();
  }
}

function checkVersion(remote: RemoteFile, { headers, status, url }: Answer): void {
  if (headers.get("content-encoding") && headers.get("content-encoding") !== "identity")
    throw new NibbleError("io_error", `expected bytes as they are from ${url.host}, got Content-Encoding`);
  const length = headers.get("content-length");
  const tag = tagOf(headers);
  const other = !remote.sha256 && remote.tag && tag && tag !== remote.tag;
  if (other || (status === 200 && length !== null && Number(length) !== remote.bytes)) throw new ChangedError(url.host);
}

function checkRange({ headers, url }: Answer, start: number, last: number, size: number): void {
  const expected = `bytes ${start}-${last}/${size}`;
  // Across origins a page may not see it; the length then has to do.
  const range = headers.get("content-range") ?? expected;
  const count = `${last + 1 - start}`;
  const length = headers.get("content-length") ?? count;
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(range)?.[1];
  if (total !== undefined && total !== `${size}`) throw new ChangedError(url.host);
  if (range !== expected || length !== count)
    throw new TemporaryError(`${url.host}: expected ${expected}, got ${range} in ${length} bytes`);
}

async function fill(cursor: Cursor, answer: Answer, end: number): Promise<void> {
  for await (const chunk of answer.chunks()) if (!(await cursor.push(chunk))) throw new ChangedError(answer.url.host); // it is longer than it was
  if (!cursor.done)
    throw new TemporaryError(`${answer.url.host}: expected ${end} bytes, the connection ended at ${cursor.offset}`);
}

/**
 * All of the file in one request, again from the start after a failure.
 * @param mixable whether bytes of two requests may stand together
 */
async function inOrder(remote: RemoteFile, pieces: Pieces, options: DownloadOptions, mixable: boolean): Promise<void> {
  const patience = new Patience(options);
  while (!pieces.complete) {
    const before = pieces.loaded;
    try {
      const answer = await request(remote.url, {}, options);
      try {
        checkStatus(answer, [200]);
        checkVersion(remote, answer);
        await fill(new Cursor(pieces, 0, pieces.count), answer, remote.bytes);
      } finally {
        answer.discard();
      }
    } catch (error) {
      if (!mixable) throw error;
      if (pieces.loaded > before) patience.renew();
      await patience.endure(error);
    }
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
