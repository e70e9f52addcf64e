/**
 * A file on a server: its length, and how to recognise another version of it.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { type Answer, Backoff, checkStatus, type HttpOptions, request } from "./http.ts";

export interface RemoteFile {
  readonly url: URL;
  /** Its name without folders. */
  readonly name: string;
  /** Length in bytes. */
  readonly bytes: number;
  /** In hexadecimal digits, if the registry or the hub knows it. */
  readonly sha256?: string | undefined;
  /** A strong ETag, else the date of the last change. If-Range takes both (RFC 9110, 13.1.5). */
  readonly tag?: string | undefined;
}

/**
 * Learns the length and version of a file by asking for its first byte.
 * @throws NibbleError `missing_file`, `io_error`
 */
export async function probe(url: URL, options: HttpOptions): Promise<RemoteFile> {
  const backoff = new Backoff(options);
  for (;;) {
    try {
      const answer = await request(url, { range: "bytes=0-0" }, options);
      try {
        checkStatus(answer, [200, 206]);
        return { url, name: nameOf(url), bytes: lengthOf(answer), sha256: answer.sha256, tag: tagOf(answer.headers) };
      } finally {
        answer.discard();
      }
    } catch (error) {
      await backoff.wait(error);
    }
  }
}

/** The last part of the path. Its escapes are read, unless they are malformed or stand for separators or control characters. */
function nameOf(url: URL): string {
  const part = url.pathname.split("/").pop()!;
  try {
    const name = decodeURIComponent(part);
    return /[/\\\p{Cc}]/u.test(name) ? part : name;
  } catch {
    return part;
  }
}

function lengthOf({ status, headers, url }: Answer): number {
  const range = headers.get("content-range");
  const packed = headers.get("content-encoding") ?? "identity";
  // CORS hides Content-Range from a page of another origin, unless the server exposes it.
  const text = status === 206 ? /^bytes 0-0\/(\d{1,15})$/.exec(range ?? "")?.[1] : headers.get("content-length");
  if (!/^[1-9]\d{0,14}$/.test(text ?? "") || packed !== "identity")
    throw new NibbleError(
      "io_error",
      `${url.host} does not say the length of the file: got ${range ?? text ?? "none"}, encoding ${packed}`,
    );
  return Number(text);
}

/** The tag that identifies this version of a file: a strong ETag, else the date of the last change. */
export function tagOf(headers: Headers): string | undefined {
  const tag = headers.get("etag");
  if (tag !== null && !tag.startsWith("W/")) return tag;
  return headers.get("last-modified") ?? undefined;
}
