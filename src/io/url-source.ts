/**
 * A file behind an URL: one request that streams, another with `Range` where a read goes back or far ahead.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { seekableSource } from "./stream-source.ts";

/**
 * The body of a response and its length.
 * @throws NibbleError `missing_file` for 404, `io_error` for other failures or where the length is not told
 */
export function streamedResponse(response: Response): { size: number; body: ReadableStream<Uint8Array> } {
  const { status, body, headers, url } = response;
  if (!response.ok || !body)
    throw new NibbleError(
      status === 404 ? "missing_file" : "io_error",
      `expected a file, got status ${status} from ${url}`,
    );
  // The length of what was sent says nothing about what was unpacked from it.
  const length = headers.get("content-encoding") ? null : headers.get("content-length");
  if (length === null || !/^\d{1,15}$/.test(length))
    throw new NibbleError("io_error", `expected Content-Length without Content-Encoding from ${url || "the response"}`);
  return { size: Number(length), body };
}

async function request(url: URL, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, { headers });
  } catch (cause) {
    throw new NibbleError("io_error", `could not fetch ${url}: ${(cause as Error).message}`, { cause });
  }
}

/** @throws NibbleError `missing_file`, `io_error`; its reads `truncated`, `io_error` */
export async function urlSource(url: URL): Promise<ByteSource> {
  const whole = await request(url, {});
  const { size, body } = streamedResponse(whole);
  const tag = whole.headers.get("etag");
  const open = async (offset: number): Promise<ReadableStream<Uint8Array>> => {
    const response = await request(url, {
      range: `bytes=${offset}-`,
      // A weak tag may not be asked for; a file that changes between two requests must not be mixed.
      ...(tag && !tag.startsWith("W/") && { "if-range": tag }),
    });
    const wanted = `bytes ${offset}-${size - 1}/${size}`;
    // Across origins a page may not see it; it sees the length.
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
