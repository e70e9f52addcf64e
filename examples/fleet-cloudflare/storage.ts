/**
 * Where things lie in R2. A request's key ends with its hash, which follows from custom_id, URL and body:
 *
 *   batches/BATCH          the file as it was posted
 *   answers/BATCH/HASH     the result line of a request
 *   attempts/BATCH/HASH    why its last attempt failed
 *   failures/BATCH/HASH    why it failed for good
 * @module
 */
import { type IdentifiedRequest, readRequests } from "nibble-llm/batch";
import type { Bucket, Message } from "./cloudflare.ts";

type Kind = "answers" | "attempts" | "failures";
type Name = Pick<Message, "batch" | "hash">;

export const batchKey = (batch: string): string => `batches/${batch}`;
const keyOf = (kind: Kind, { batch, hash }: Name): string => `${kind}/${batch}/${hash}`;

/** Reads a request of a stored batch. @throws Error if the batch is not there */
export async function readRequest(bucket: Bucket, { batch, start, end }: Message): Promise<IdentifiedRequest> {
  const object = await bucket.get(batchKey(batch), { range: { offset: start, length: end - start } });
  if (!object) throw new Error(`there is no batch ${batch}`);
  for await (const request of readRequests(object.body)) return request;
  throw new Error(`batch ${batch} has no request at byte ${start}`);
}

export async function readText(bucket: Bucket, kind: Kind, name: Name): Promise<string | undefined> {
  return (await bucket.get(keyOf(kind, name)))?.text();
}

/** Writes a text unless there is one. */
export async function keepFirst(bucket: Bucket, kind: Kind, name: Name, text: string): Promise<void> {
  await bucket.put(keyOf(kind, name), text, { onlyIf: new Headers({ "if-none-match": "*" }) });
}

/** Writes a text in place of the one that was there. */
export async function keepLast(bucket: Bucket, kind: Kind, name: Name, text: string): Promise<void> {
  await bucket.put(keyOf(kind, name), text);
}

export async function has(bucket: Bucket, kind: Kind, name: Name): Promise<boolean> {
  return (await bucket.head(keyOf(kind, name))) !== null;
}

/** The hashes of all requests of a batch that have a text of this kind. */
export async function hashesOf(bucket: Bucket, kind: Kind, batch: string): Promise<Set<string>> {
  const prefix = keyOf(kind, { batch, hash: "" });
  const hashes = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, ...(cursor !== undefined && { cursor }) });
    for (const { key } of page.objects) hashes.add(key.slice(prefix.length));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return hashes;
}

/** Most keys that R2 deletes at once. */
const DELETED_AT_ONCE = 1000;

/** Forgets that requests have failed, since they are tried again. */
export async function forgetFailures(bucket: Bucket, batch: string): Promise<void> {
  for (const kind of ["attempts", "failures"] as const) {
    const keys = [...(await hashesOf(bucket, kind, batch))].map((hash) => keyOf(kind, { batch, hash }));
    for (let i = 0; i < keys.length; i += DELETED_AT_ONCE) await bucket.delete(keys.slice(i, i + DELETED_AT_ONCE));
  }
}
