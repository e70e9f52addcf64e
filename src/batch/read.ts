/**
 * All requests of a batch file, for programs that share them out on their own.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { type IdentifiedRequest, identify } from "./identity.ts";
import { readLines } from "./lines.ts";
import { isLineError, RequestReader } from "./request.ts";

/** A request, and where its line lies in the file. */
export interface PlacedRequest extends IdentifiedRequest {
  /** The offset of the line's first byte. */
  readonly start: number;
  /** The offset behind the line's last byte. */
  readonly end: number;
}

/**
 * Reads the lines of OpenAI's batch files: custom_id, method, url and body. Empty lines are passed over.
 * @param chunks the file's bytes: a stream of Node's, or the body of a `Response`
 * @throws NibbleError `bad_value` that names the first line that is no request; `limit_exceeded` for a line over 64 MiB
 */
export async function* readRequests(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<PlacedRequest, undefined> {
  const reader = new RequestReader();
  for await (const { text, number, start, end } of readLines(chunks)) {
    if (text?.trim() === "") continue;
    const request = reader.read(text, number);
    if (isLineError(request)) throw new NibbleError("bad_value", `line ${number}: ${request.code}: ${request.message}`);
    yield { ...(await identify(request)), start, end };
  }
}
