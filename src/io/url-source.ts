/**
 * A file behind a URL: one request streams it, and a read that goes back or far ahead makes another with `Range`.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { blobSource } from "./memory-source.ts";
import { seekableSource, streamSource } from "./stream-source.ts";

/** Most bytes of a body whose length nobody says, which must be kept as a whole: 4 GiB, the most that wasm can address. */
const MAX_UNSIZED_BYTES = 2 ** 32;

/** The body of a response, and its length in bytes where that is known. */
interface Body {
  readonly size: number | undefined;
  readonly body: ReadableStream<Uint8Array>;
}

/** @throws NibbleError `missing_file` for status 404, `io_error` for other failures */
function bodyOf({ ok, status, body, headers, url }: Response): Body {
  if (!ok || !body)
    throw new NibbleError(status === 404 ? "missing_file" : "io_error", `${url}: expected status 200, got ${status}`);
  // With a content encoding, Content-Length is that of the compressed bytes.
  const length = headers.get("content-encoding") ? null : headers.get("content-length");
  return { size: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined, body };
}

/** Reads a body of unknown length to its end. A browser may keep the Blob on its disk. @throws NibbleError `io_error` */
async function wholeBody(body: ReadableStream<Uint8Array>, url: string): Promise<ByteSource> {
  let bytes = 0;
  const bound = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes > MAX_UNSIZED_BYTES)
        throw new Error(`it has no Content-Length and more than ${MAX_UNSIZED_BYTES} bytes`);
      controller.enqueue(chunk);
    },
  });
  try {
    return blobSource(await new Response(body.pipeThrough(bound) as ReadableStream<Uint8Array<ArrayBuffer>>).blob());
  } catch (cause) {
    throw new NibbleError("io_error", `could not read ${url || "the response"}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/**
 * The body of a response as a source: a stream, or where its length is unknown (the server compresses, or sends chunks)
 * the whole body, read to its end.
 * @throws NibbleError `missing_file` for status 404, `io_error`
 */
export async function responseSource(response: Response): Promise<ByteSource> {
  const { size, body } = bodyOf(response);
  return size === undefined ? wholeBody(body, response.url) : streamSource({ size, body });
}

async function request(url: URL, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, { headers });
  } catch (cause) {
    throw new NibbleError("io_error", `could not fetch ${url}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * The answer to a request for a whole file. If it does not say the length, the request is made again with a range, since
 * `fetch` then asks for bytes that are not compressed (https://fetch.spec.whatwg.org, "HTTP-network-or-cache fetch").
 */
async function requestFile(url: URL): Promise<Response> {
  const first = await request(url, {});
  const { size, body } = bodyOf(first);
  if (size !== undefined) return first;
  await body.cancel();
  const second = await request(url, { range: "bytes=0-" });
  // The range may be refused, or a part of it may come. A page of another origin does not see Content-Range.
  const range = /^bytes 0-(\d+)\/(\d+)$/.exec(second.headers.get("content-range") ?? "bytes 0-0/1");
  const isWhole = second.status === 200 || (range !== null && Number(range[1]) + 1 === Number(range[2]));
  if (second.ok && isWhole) return second;
  await second.body?.cancel();
  return request(url, {});
}

/**
 * A source over HTTP. Its reads reject with NibbleError `truncated`, `io_error`. Where the server does not say the length,
 * not even of a range, the file is read to its end first.
 * @throws NibbleError `missing_file`, `io_error`
 */
export async function urlSource(url: URL): Promise<ByteSource> {
  const whole = await requestFile(url);
  const { size, body } = bodyOf(whole);
  if (size === undefined) return wholeBody(body, url.href);
  const tag = whole.headers.get("etag");
  const open = async (offset: number): Promise<ReadableStream<Uint8Array>> => {
    const response = await request(url, {
      range: `bytes=${offset}-`,
      // If-Range refuses a file that has changed since the first request. It takes strong tags only (RFC 9110, 13.1.5).
      ...(tag && !tag.startsWith("W/") && { "if-range": tag }),
    });
    const wanted = `bytes ${offset}-${size - 1}/${size}`;
    // CORS hides Content-Range from a page of another origin, but not Content-Length.
    const range = response.headers.get("content-range") ?? wanted;
    const length = response.headers.get("content-length");
    if (response.status !== 206 || !response.body || range !== wanted || length !== `${size - offset}`) {
      await response.body?.cancel();
      const got = `status ${response.status} with ${range}, ${length} bytes`;
      throw new NibbleError("io_error", `${url}: expected status 206 with ${wanted}, got ${got}`);
    }
    return response.body;
  };
  return seekableSource({ size, first: body, open });
}
