/**
 * What clients ask for: a batch is enqueued, its state is told, its results are collected.
 * @module
 */
import { type IdentifiedRequest, readRequests, resultLine } from "nibble-llm/batch";
import type { Bucket, Env, Message } from "./cloudflare.ts";
import { batchKey, forgetFailures, hashesOf, readText } from "./storage.ts";

/** The state of a batch, under OpenAI's names. */
export interface BatchState {
  readonly id: string;
  readonly status: "in_progress" | "completed";
  /** `completed` counts answers, `failed` those requests that have none after all attempts. */
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number };
}

/** Most messages that a queue takes at once. */
const SENT_AT_ONCE = 100;

/**
 * Enqueues the requests of a file that have no answer yet. The batch's id follows from the model's name and the file's
 * bytes, so a file that is posted twice is one batch. Posting it again tries those requests again that have failed.
 * @throws NibbleError that names the first line that is no request; nothing is enqueued then
 */
export async function enqueue(
  { BUCKET, REQUESTS, MODEL = "crumb" }: Env,
  file: Uint8Array<ArrayBuffer>,
): Promise<BatchState> {
  const named = new TextEncoder().encode(JSON.stringify([MODEL, await sha256(file)]));
  const batch = `batch_${(await sha256(named)).slice(0, 24)}`;
  const messages: Message[] = [];
  for await (const { hash, start, end } of readRequests(once(file))) messages.push({ batch, hash, start, end });
  await BUCKET.put(batchKey(batch), file, { customMetadata: { requests: String(messages.length) } });
  await forgetFailures(BUCKET, batch);
  const answered = await hashesOf(BUCKET, "answers", batch);
  const missing = messages.filter(({ hash }) => !answered.has(hash));
  for (let i = 0; i < missing.length; i += SENT_AT_ONCE)
    await REQUESTS.sendBatch(missing.slice(i, i + SENT_AT_ONCE).map((body) => ({ body })));
  return stateFrom(batch, messages.length, answered.size, 0);
}

/** The state of a batch; undefined if there is none of this id. */
export async function stateOf({ BUCKET }: Env, batch: string): Promise<BatchState | undefined> {
  const total = (await BUCKET.head(batchKey(batch)))?.customMetadata?.requests;
  if (total === undefined) return undefined;
  const answered = await hashesOf(BUCKET, "answers", batch);
  const failed = await hashesOf(BUCKET, "failures", batch);
  for (const hash of answered) failed.delete(hash); // an attempt that was thought lost has answered after all
  return stateFrom(batch, Number(total), answered.size, failed.size);
}

function stateFrom(id: string, total: number, completed: number, failed: number): BatchState {
  const status = completed + failed === total ? "completed" : "in_progress";
  return { id, status, request_counts: { total, completed, failed } };
}

/** A Worker may have six connections open at once. One of them reads the batch. */
const READ_AHEAD = 5;

/** The result lines of a batch in the order of its requests. A request that has failed has an error for a response. */
export async function* results({ BUCKET }: Env, batch: string): AsyncGenerator<Uint8Array, undefined> {
  const encoder = new TextEncoder();
  const ahead: Promise<string>[] = [];
  const next = async (): Promise<Uint8Array> => encoder.encode(`${await ahead.shift()}\n`);
  const file = await BUCKET.get(batchKey(batch));
  if (!file) return;
  for await (const request of readRequests(file.body)) {
    ahead.push(resultOf(BUCKET, batch, request));
    if (ahead.length === READ_AHEAD) yield next();
  }
  while (ahead.length > 0) yield next();
}

async function resultOf(bucket: Bucket, batch: string, request: IdentifiedRequest): Promise<string> {
  const name = { batch, hash: request.hash };
  const line = await readText(bucket, "answers", name);
  if (line !== undefined) return line;
  const message = (await readText(bucket, "failures", name)) ?? "there is no answer yet";
  return resultLine(request, { error: { code: "failed", message } });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}

/** 64 hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
