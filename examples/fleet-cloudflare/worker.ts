/**
 * A fleet of Workers that answers OpenAI's batch files: a queue carries the requests, R2 keeps the answers.
 *
 *   POST /batches              takes a file of requests (JSONL) and tells the batch's id
 *   GET  /batches/ID           tells how many requests have been answered, and how many have failed
 *   GET  /batches/ID/results   the result lines, in the order of the requests, when there are no more to come
 * @module
 */
import { type BatchState, enqueue, results, sha256, stateOf } from "./batches.ts";
import type { Env, Message, MessageBatch } from "./cloudflare.ts";
import { consumeFailures, consumeRequests } from "./consumer.ts";

/** An isolate has 128 MB, and holds the file while it reads it. */
const MAX_FILE_BYTES = 32 * 2 ** 20;

const failure = (status: number, message: string): Response => Response.json({ error: { message } }, { status });

async function respond(request: Request, env: Env): Promise<Response> {
  if (!(await isAllowed(request, env))) return failure(401, "expected the API key as Authorization: Bearer KEY");
  const { pathname } = new URL(request.url);
  if (pathname === "/batches") {
    if (request.method !== "POST") return failure(405, `/batches: expected POST, got ${request.method}`);
    return post(request, env);
  }
  const [, id, part] = /^\/batches\/(batch_[0-9a-f]+)(\/results)?$/.exec(pathname) ?? [];
  if (id === undefined)
    return failure(404, `there is no ${pathname}: expected /batches, /batches/ID or /batches/ID/results`);
  if (request.method !== "GET") return failure(405, `${pathname}: expected GET, got ${request.method}`);
  const state = await stateOf(env, id);
  if (!state) return failure(404, `there is no batch ${id}`);
  return part ? collect(state, env) : Response.json(state);
}

async function post(request: Request, env: Env): Promise<Response> {
  const length = Number(request.headers.get("content-length"));
  const file = length > MAX_FILE_BYTES ? undefined : new Uint8Array(await request.arrayBuffer());
  if (!file || file.length > MAX_FILE_BYTES) return failure(413, `expected a file of at most ${MAX_FILE_BYTES} bytes`);
  try {
    return Response.json(await enqueue(env, file));
  } catch (error) {
    if ((error as Error).name !== "NibbleError") throw error;
    return failure(400, (error as Error).message);
  }
}

function collect(state: BatchState, env: Env): Response {
  if (state.status !== "completed") {
    const { total, completed, failed } = state.request_counts;
    return failure(409, `${total - completed - failed} of ${total} requests have no answer yet`);
  }
  const lines = results(env, state.id);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await lines.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await lines.return(undefined);
    },
  });
  return new Response(body, { headers: { "content-type": "application/jsonl" } });
}

/** Compares digests, so that the time taken shows nothing of the key. */
async function isAllowed({ headers }: Request, { API_KEY }: Env): Promise<boolean> {
  if (!API_KEY) return true;
  const digest = (text: string): Promise<string> => sha256(new TextEncoder().encode(text));
  return (await digest(headers.get("authorization") ?? "")) === (await digest(`Bearer ${API_KEY}`));
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    try {
      return await respond(request, env);
    } catch (error) {
      return failure(500, (error as Error).message);
    }
  },
  async queue(batch: MessageBatch<Message>, env: Env): Promise<void> {
    await (batch.queue === "nibble-failed" ? consumeFailures : consumeRequests)(batch, env);
  },
};
