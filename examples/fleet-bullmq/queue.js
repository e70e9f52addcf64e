/**
 * What the three scripts share: the queue in Redis or Valkey, and the requests of a file with their jobs.
 * @module
 */
import { createReadStream } from "node:fs";
import process from "node:process";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { readRequests } from "nibble-llm/batch";

/** Where Redis or Valkey listens: `redis://user:password@host:port`, or `rediss://` for TLS. */
export const connection = { url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" };

/** Any worker may take any job of its queue, so all workers of a queue load the same model. */
export const QUEUE = process.env.QUEUE ?? "nibble";

/** Milliseconds between attempts to reach the server, and their number; then the scripts that use the queue give up. */
const RECONNECT = { delay: 200, attempts: 10 };

/** The queue of a script that puts jobs in or reads them. @throws Error if the server cannot be reached */
export async function openQueue() {
  const retryStrategy = (attempt) => (attempt < RECONNECT.attempts ? RECONNECT.delay : null);
  const queue = new Queue(QUEUE, { connection: { ...connection, retryStrategy } });
  queue.on("error", () => {}); // the call that fails reports the error too
  await queue.waitUntilReady();
  return queue;
}

/**
 * Notes the model of the first worker, by its fingerprint.
 * @throws Error for a worker of another model, whose answers would differ
 */
export async function claimQueue(fingerprint) {
  const key = `nibble:${QUEUE}:model`;
  const redis = new Redis(connection.url);
  redis.on("error", () => {}); // the call that fails reports the error too
  await redis.set(key, fingerprint, "NX");
  const known = await redis.get(key);
  redis.disconnect();
  if (known !== fingerprint)
    throw new Error(`another model answers the queue ${QUEUE}: set QUEUE to another name, or delete the key ${key}`);
}

/** All requests of a file, in OpenAI's batch lines. @throws NibbleError that names the first line that is no request */
export async function readFile(path) {
  const requests = [];
  for await (const request of readRequests(createReadStream(path))) requests.push(request);
  return requests;
}

/**
 * The id of a request's job. Its hash follows from custom_id, URL and body. BullMQ adds no second job of the same id, so a
 * request that is enqueued twice is answered once. (A custom_id itself may be a text that BullMQ refuses as an id.)
 */
export const jobId = ({ hash }) => `request-${hash}`;

/** Runs a script. An error ends it with one line and exit code 1. */
export function run(main) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
