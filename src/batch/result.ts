/**
 * Results of a batch: one JSON object per line, in OpenAI's shape.
 * @module
 */
import { type IdentifiedRequest, stableBody } from "./identity.ts";
import { isObject, parseRequest } from "./request.ts";
import { mayPass } from "./status.ts";

/** What became of a request: a server's answer, or the reason why there is none. */
export type Outcome =
  | {
      /** The HTTP status. */
      readonly status: number;
      /** The JSON of the answer; undefined where it is none. */
      readonly body: unknown;
    }
  | { readonly error: { readonly code: string; readonly message: string } };

/** The id of a request's result. */
export function resultId({ hash }: IdentifiedRequest): string {
  return `batch_req_${hash}`;
}

/** The line of a result, without a line feed. */
export function resultLine(request: IdentifiedRequest, outcome: Outcome): string {
  const answered = "status" in outcome;
  return JSON.stringify({
    id: resultId(request),
    custom_id: request.customId,
    response: answered
      ? { status_code: outcome.status, request_id: `req_${request.hash}`, body: stableBody(outcome.body, request) }
      : null,
    error: answered ? null : outcome.error,
  });
}

export interface ReadResult {
  readonly id: string;
  readonly customId: string;
  /** Whether the answer is what was asked for. OpenAI has the other ones in a file of their own. */
  readonly ok: boolean;
  /** Whether asking again cannot change it: the request was answered, be it with an error of the request's own. */
  readonly final: boolean;
  /** The server's `system_fingerprint`, which tells one model from another. */
  readonly fingerprint: string | undefined;
}

/** Reads a line of `resultLine`; undefined for every other text, such as a line that was cut off. */
export function readResult(text: string | undefined): ReadResult | undefined {
  const { id, custom_id: customId, response, error } = parseRequest(text) ?? {};
  if (typeof id !== "string" || typeof customId !== "string") return undefined;
  const { status_code: status, body } = isObject(response) ? response : {};
  if (status === undefined && !isObject(error)) return undefined;
  const mark = isObject(body) ? body.system_fingerprint : undefined;
  return {
    id,
    customId,
    ok: isOk(status),
    final: typeof status === "number" && !mayPass(status),
    fingerprint: typeof mark === "string" ? mark : undefined,
  };
}

function isOk(status: unknown): boolean {
  return typeof status === "number" && status >= 200 && status < 300;
}
