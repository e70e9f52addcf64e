/**
 * A file on a server: its length, and what tells its versions apart.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { type Answer, checkStatus, type HttpOptions, Patience, request } from "./http.ts";

export interface RemoteFile {
  readonly url: URL;
  /** Its name without folders. */
  readonly name: string;
  readonly bytes: number;
  /** Hex, where the registry or the hub says it. */
  readonly sha256?: string | undefined;
  /** A strong ETag, else the date of the last change: what If-Range takes (RFC 9110, 13.1.5). */
  readonly tag?: string | undefined;
}

/**
 * Asks for one byte, to learn the rest.
 * @throws NibbleError `missing_file`, `io_error`
 */
export async function probe(url: URL, options: HttpOptions): Promise<RemoteFile> {
  const patience = new Patience(options);
  for (;;) {
    try {
      const answer = await request(url, { range: "bytes=0-0" }, options);
      try {
        checkStatus(answer, [200, 206]);
        const name = decodeURIComponent(url.pathname.split("/").pop()!);
        return { url, name, bytes: lengthOf(answer), sha256: answer.sha256, tag: tagOf(answer.headers) };
      } finally {
        answer.discard();
      }
    } catch (error) {
      await patience.endure(error);
    }
  }
}

function lengthOf({ status, headers, url }: Answer): number {
  const range = headers.get("content-range");
  const packed = headers.get("content-encoding") ?? "identity";
  // Across origins a page may not see Content-Range unless the server exposes it.
  const text = status === 206 ? /^bytes 0-0\/(\d{1,15})$/.exec(range ?? "")?.[1] : headers.get("content-length");
  if (!/^[1-9]\d{0,14}$/.test(text ?? "") || packed !== "identity")
    throw new NibbleError(
      "io_error",
      `expected the length of a file from ${url.host}, got ${range ?? text ?? "none"}, encoding ${packed}`,
    );
  return Number(text);
}

export function tagOf(headers: Headers): string | undefined {
  const tag = headers.get("etag");
  if (tag !== null && !tag.startsWith("W/")) return tag;
  return headers.get("last-modified") ?? undefined;
}
