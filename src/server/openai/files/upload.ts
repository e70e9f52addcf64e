/**
 * Reads an upload: a form with a file, as OpenAI's clients send it.
 * @module
 */
import { NibbleError } from "../../../base/errors.ts";
import { invalid } from "../../../base/fields.ts";
import { readBytes } from "../../body.ts";
import type { Exchange } from "../../route.ts";

/** OpenAI's purposes of files that users upload. Only `batch` has a use here; the others are kept and given back. */
const PURPOSES = ["batch", "assistants", "fine-tune", "vision", "user_data", "evals"];
const MAX_NAME = 255;
/** Seconds: an hour, and 30 days. */
const [SHORTEST, LONGEST] = [3600, 30 * 24 * 3600];

export interface Upload {
  readonly filename: string;
  readonly purpose: string;
  readonly expiresAfter: number | undefined;
  readonly bytes: Uint8Array;
}

/** @throws NibbleError `unsupported_media_type`, `forbidden`, `too_large`, `timeout`, `invalid_request` that names the field */
export async function readUpload({ request, url, server, ignore }: Exchange): Promise<Upload> {
  const type = request.headers.get("content-type") ?? "none";
  if (!/^multipart\/form-data\s*;/i.test(type))
    throw new NibbleError("unsupported_media_type", `content-type: expected multipart/form-data, got ${type}`);
  checkOrigin(request, url, server.settings.cors);
  const { maxFileBytes, bodyTimeoutMs } = server.settings;
  const limits = { maxBytes: maxFileBytes, timeoutMs: bodyTimeoutMs };
  const body = await readBytes(request, limits, { bytes: 0 });
  const form = await new Response(body, { headers: { "content-type": type } }).formData().catch((cause: unknown) => {
    throw new NibbleError("invalid_request", "body: expected a form with a file, got something else", { cause });
  });
  const known = ["file", "purpose", "expires_after[anchor]", "expires_after[seconds]"];
  for (const name of form.keys()) if (!known.includes(name)) ignore(name, "a file has no such field");
  const purpose = form.get("purpose") ?? undefined;
  if (typeof purpose !== "string" || !PURPOSES.includes(purpose))
    throw invalid("purpose", PURPOSES.join(" or "), purpose);
  const file = form.get("file");
  if (file === null || typeof file === "string") throw invalid("file", "a file", file ?? undefined);
  return {
    filename: file.name.slice(-MAX_NAME),
    purpose,
    expiresAfter: readExpiry(form),
    bytes: new Uint8Array(await file.arrayBuffer()),
  };
}

function readExpiry(form: FormData): number | undefined {
  const [anchor, seconds] = ["anchor", "seconds"].map((name) => form.get(`expires_after[${name}]`));
  if (anchor === null && seconds === null) return undefined;
  if (anchor !== "created_at") throw invalid("expires_after.anchor", '"created_at"', anchor ?? undefined);
  const value = Number(seconds);
  if (!Number.isInteger(value) || value < SHORTEST || value > LONGEST)
    throw invalid("expires_after.seconds", `an integer from ${SHORTEST} to ${LONGEST}`, seconds ?? undefined);
  return value;
}

/** Browsers let a page of any site post forms to this machine. @throws NibbleError `forbidden` */
function checkOrigin({ headers }: Request, { origin: own }: URL, cors: "*" | readonly string[]): void {
  const origin = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  if (origin === null ? site === null || site === "none" || site === "same-origin" : origin === own) return;
  if (origin !== null && (cors === "*" || cors.includes(origin))) return;
  throw new NibbleError("forbidden", `origin: pages of ${origin ?? "other sites"} may not upload files here`);
}
