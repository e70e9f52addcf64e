/**
 * A file behind a URL: one request streams it, and a read that goes back or far ahead makes another with `Range`.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { seekableSource } from "./stream-source.ts";

/**
 * The body of a response and its length.
 * @throws NibbleError `missing_file` for status 404, `io_error` for other failures or if the response does not say its length
 */
export function streamedResponse(response: Response): { size: number; body: ReadableStream<Uint8Array> } {
  const { status, body, headers, url } = response;
  if (!response.ok || !body)
    throw new NibbleError(status === 404 ? "missing_file" : "io_error", `${url}: expected status 200, got ${status}`);
  // With a content encoding, Content-Length is that of the compressed bytes.
  const length = headers.get("content-encoding") ? null : headers.get("content-length");
  if (length === null || !/^\d{1,15}$/.test(length))
    throw new NibbleError(
      "io_error",
      `${url || "the response"}: a Content-Length without Content-Encoding is required, to plan the memory`,
    );
  return { size: Number(length), body };
}

async function request(url: URL, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, { headers });
  } catch (cause) {
    throw new NibbleError("io_error", `could not fetch ${url}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * A source over HTTP. Its reads reject with NibbleError `truncated`, `io_error`.
 * @throws NibbleError `missing_file`, `io_error`
 */
export async function urlSource(url: URL): Promise<ByteSource> {
  const whole = await request(url, {});
  const { size, body } = streamedResponse(whole);
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
