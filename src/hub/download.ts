/**
 * Fetches a remote file into a partial one: several ranges at once, going on from the pieces that are there already.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { type Hasher, type PartialFile, PIECE_BYTES } from "./cache.ts";
import { type Answer, Backoff, checkStatus, type HttpOptions, request, TemporaryError } from "./http.ts";
import { Pieces, PieceWriter } from "./pieces.ts";
import { type RemoteFile, tagOf } from "./remote.ts";

export interface DownloadOptions extends HttpOptions {
  /** How many requests run at once. Default: 4. */
  readonly connections?: number | undefined;
  /** Is called with the bytes of this file that are stored so far. */
  readonly onBytes?: ((loaded: number) => void) | undefined;
}

/** The server has another version of the file than when the download began. */
export class ChangedError extends NibbleError {
  constructor(host: string) {
    super("io_error", `${host} changed the file while it was fetched`);
  }
}

/** The server answers the request of a range with the whole file. */
class NoRanges extends Error {}

/**
 * Fetches the pieces that are missing.
 * @returns the SHA-256 of the whole file, in hexadecimal digits
 * @throws ChangedError; NibbleError `io_error` where the server keeps failing or contradicts itself, `missing_file`
 */
export async function download(
  remote: RemoteFile,
  file: PartialFile,
  hasher: Hasher,
  options: DownloadOptions,
): Promise<string> {
  const pieces = new Pieces({ bytes: remote.bytes, file, hasher, onBytes: options.onBytes });
  await pieces.resume();
  // Without a hash or a tag, nothing would tell that two ranges belong to different versions.
  const isVersioned = remote.sha256 !== undefined || remote.tag !== undefined;
  try {
    if (!isVersioned) throw new NoRanges();
    await fetchRanges(remote, pieces, options);
  } catch (error) {
    if (!(error instanceof NoRanges)) throw error;
    await fetchWhole(remote, pieces, isVersioned, options);
  }
  return pieces.sha256();
}

/**
 * Fills a partial file from a stream.
 * @returns its SHA-256 in hexadecimal digits
 * @throws NibbleError `truncated` if the stream has another length than `bytes`
 */
export async function storeStream(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
  file: PartialFile,
  hasher: Hasher,
): Promise<string> {
  const pieces = new Pieces({ bytes, file, hasher });
  const writer = new PieceWriter(pieces, 0, pieces.count);
  let fits = true;
  for await (const chunk of chunks) fits = (await writer.push(chunk)) && fits;
  if (!fits || !writer.done)
    throw new NibbleError("truncated", `expected ${bytes} bytes, got ${fits ? writer.offset : "more"}`);
  return pieces.sha256();
}

/** A request that brought this many bytes counts as a success, even if it failed after them. */
const PROGRESS_BYTES = 64 * 1024;

/** Fetches the missing pieces by several connections. @throws NoRanges, and as `download` */
async function fetchRanges(remote: RemoteFile, pieces: Pieces, options: DownloadOptions): Promise<void> {
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const connections = Array.from({ length: options.connections ?? 4 }, () =>
    fetchMissing(remote, pieces, { ...options, signal }).catch((error: unknown) => failed.abort(error)),
  );
  await Promise.all(connections);
  options.signal?.throwIfAborted();
  // The first failure is the reason: it made the other connections fail.
  if (failed.signal.aborted) throw failed.signal.reason;
}

/** The work of one connection: fetches one range after the other until none is missing. */
async function fetchMissing(remote: RemoteFile, pieces: Pieces, options: DownloadOptions): Promise<void> {
  const backoff = new Backoff(options);
  for (let range = pieces.take(); range; range = pieces.take()) {
    const writer = new PieceWriter(pieces, range.first, range.end);
    const last = Math.min(range.end * PIECE_BYTES, remote.bytes) - 1;
    while (!writer.done) {
      const before = writer.offset;
      try {
        await fetchRange(remote, writer, last, options);
      } catch (error) {
        if (writer.offset - before >= PROGRESS_BYTES) backoff.reset();
        await backoff.wait(error);
      }
    }
    backoff.reset();
  }
}

/** Fetches the bytes from the writer's offset to `last`. @throws NoRanges, ChangedError, TemporaryError */
async function fetchRange(remote: RemoteFile, writer: PieceWriter, last: number, options: HttpOptions): Promise<void> {
  const first = writer.offset;
  const headers = { range: `bytes=${first}-${last}`, ...(remote.tag && !remote.sha256 && { "if-range": remote.tag }) };
  const answer = await request(remote.url, headers, options);
  try {
    if (answer.status === 416) throw new ChangedError(answer.url.host);
    checkStatus(answer, [200, 206]);
    checkVersion(remote, answer);
    if (answer.status === 206) checkContentRange(answer, first, last, remote.bytes);
    else if (first > 0 || last < remote.bytes - 1) throw new NoRanges();
    await writeBody(writer, answer, last + 1);
  } finally {
    answer.discard();
  }
}

/**
 * Fetches all of the file in one request, and again from the start after a failure.
 * @param isVersioned whether bytes of two requests are known to belong together
 */
async function fetchWhole(
  remote: RemoteFile,
  pieces: Pieces,
  isVersioned: boolean,
  options: DownloadOptions,
): Promise<void> {
  const backoff = new Backoff(options);
  while (!pieces.complete) {
    const before = pieces.loaded;
    try {
      const answer = await request(remote.url, {}, options);
      try {
        checkStatus(answer, [200]);
        checkVersion(remote, answer);
        await writeBody(new PieceWriter(pieces, 0, pieces.count), answer, remote.bytes);
      } finally {
        answer.discard();
      }
    } catch (error) {
      if (!isVersioned) throw error;
      if (pieces.loaded > before) backoff.reset();
      await backoff.wait(error);
    }
  }
}

/** @throws ChangedError for another version than `remote`; NibbleError `io_error` for an encoded body */
function checkVersion(remote: RemoteFile, { headers, status, url }: Answer): void {
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity")
    throw new NibbleError("io_error", `${url.host}: a body without Content-Encoding is required, got ${encoding}`);
  const length = headers.get("content-length");
  const tag = tagOf(headers);
  const isOther = !remote.sha256 && remote.tag && tag && tag !== remote.tag;
  if (isOther || (status === 200 && length !== null && Number(length) !== remote.bytes))
    throw new ChangedError(url.host);
}

/** @throws ChangedError for another length of the file, TemporaryError for another range than the one asked for */
function checkContentRange({ headers, url }: Answer, first: number, last: number, size: number): void {
  const expected = `bytes ${first}-${last}/${size}`;
  // CORS hides Content-Range from a page of another origin. Then only the length can be compared.
  const range = headers.get("content-range") ?? expected;
  const count = `${last + 1 - first}`;
  const length = headers.get("content-length") ?? count;
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(range)?.[1];
  if (total !== undefined && total !== `${size}`) throw new ChangedError(url.host);
  if (range !== expected || length !== count)
    throw new TemporaryError(`${url.host}: expected ${expected}, got ${range} in ${length} bytes`);
}

/** @throws ChangedError for a body that is too long, TemporaryError for one that ends before `end` */
async function writeBody(writer: PieceWriter, answer: Answer, end: number): Promise<void> {
  for await (const chunk of answer.chunks()) if (!(await writer.push(chunk))) throw new ChangedError(answer.url.host);
  if (!writer.done)
    throw new TemporaryError(`${answer.url.host}: the connection ended at byte ${writer.offset} of ${end}`);
}
