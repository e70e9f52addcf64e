/**
 * Requests of a batch: one JSON object per line, as OpenAI's Batch API has them
 * (https://platform.openai.com/docs/guides/batch).
 * @module
 */

/** The endpoints that a batch may ask. */
export const BATCH_URLS: readonly string[] = [
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/embeddings",
  "/v1/responses",
  "/v1/rerank",
];

/** The fields of a request in OpenAI's form. They are checked where it is answered. */
export type BatchBody = Readonly<Record<string, unknown>>;

/** One request of a batch. */
export interface BatchRequest {
  /** The name of the request, which no other request of its batch has. */
  readonly customId: string;
  /** One of `BATCH_URLS`. */
  readonly url: string;
  /** What the endpoint is sent. */
  readonly body: BatchBody;
}

/** What is wrong with a line, in OpenAI's shape and with its codes. */
export interface LineError {
  readonly code: string;
  readonly message: string;
  readonly line: number;
  readonly param: string | null;
}

/** Reads the lines of one batch, whose names must differ. */
export class RequestReader {
  readonly #names = new Set<string>();
  readonly #endpoint: string | undefined;

  /** @param endpoint the only URL that requests may have. Default: any of `BATCH_URLS` */
  constructor(endpoint?: string) {
    this.#endpoint = endpoint;
  }

  /** @param text undefined for a line that is no text */
  read(text: string | undefined, line: number): BatchRequest | LineError {
    const error = (code: string, param: string | null, message: string): LineError => ({ code, message, line, param });
    const parsed = parseRequest(text);
    if (parsed === undefined) return error("invalid_json_line", null, "this line is not a JSON object");
    const { custom_id: customId, method, url, body } = parsed;
    for (const name of ["custom_id", "method", "url", "body"])
      if (parsed[name] === undefined || parsed[name] === null)
        return error("missing_required_parameter", name, `${name}: a value is required`);
    if (typeof customId !== "string" || customId === "")
      return error("invalid_custom_id", "custom_id", "custom_id: expected a string that is not empty");
    if (this.#names.has(customId))
      return error(
        "duplicate_custom_id",
        "custom_id",
        `custom_id: ${show(customId)} is the name of an earlier request`,
      );
    if (method !== "POST") return error("invalid_method", "method", `method: expected "POST", got ${show(method)}`);
    if (typeof url !== "string" || !BATCH_URLS.includes(url))
      return error("invalid_url", "url", `url: expected ${BATCH_URLS.join(", ")}, got ${show(url)}`);
    if (this.#endpoint !== undefined && url !== this.#endpoint)
      return error("url_mismatch", "url", `url: expected the batch's endpoint ${this.#endpoint}, got ${url}`);
    if (!isObject(body)) return error("invalid_body", "body", `body: expected an object, got ${show(body)}`);
    if (body.stream === true)
      return error("invalid_body", "body.stream", "body.stream: a batch has no streams; leave the field out");
    this.#names.add(customId);
    return { customId, url, body };
  }
}

export function isLineError(read: BatchRequest | LineError): read is LineError {
  return "code" in read;
}

/** The object of a line; undefined where it is none. It is not checked any further. */
export function parseRequest(text: string | undefined): BatchBody | undefined {
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is BatchBody {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}
