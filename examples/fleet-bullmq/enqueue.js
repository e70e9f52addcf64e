/**
 * Puts the requests of a batch file into the queue:
 *
 *   node enqueue.js requests.jsonl
 *
 * It may be run again with the same file: requests that are in the queue stay as they are, and those that had failed are
 * tried again.
 * @module
 */
import { jobId, openQueue, QUEUE, readFile, run } from "./queue.js";

/** Five attempts, with 1, 2, 4 and 8 seconds between them. */
const ATTEMPTS = { attempts: 5, backoff: { type: "exponential", delay: 1000 } };
/** Jobs that are sent at once. */
const CHUNK = 500;

run(async ([path]) => {
  if (!path) throw new Error("usage: node enqueue.js REQUESTS.jsonl");
  const requests = await readFile(path);
  const queue = await openQueue();
  let again = 0;
  for (let start = 0; start < requests.length; start += CHUNK) {
    const jobs = await queue.addBulk(requests.slice(start, start + CHUNK).map(toJob));
    const failed = await Promise.all(jobs.map(async (job) => ((await job.isFailed()) ? [job] : [])));
    for (const job of failed.flat()) {
      await job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
      again++;
    }
  }
  console.log(`${requests.length} requests are in the queue ${QUEUE}; ${again} of them had failed and are tried again`);
  await queue.close();
});

function toJob(request) {
  const { customId, url, sent } = request;
  return { name: url, data: { customId, url, sent }, opts: { jobId: jobId(request), ...ATTEMPTS } };
}
