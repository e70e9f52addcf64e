/**
 * Waits for the answers to a batch file, and writes them as OpenAI's result lines in the order of the requests:
 *
 *   node collect.js requests.jsonl results.jsonl [--remove]
 *
 * A request that has failed in all its attempts has an error in place of a response; then the exit code is 1. With
 * --remove, the jobs leave the queue when the file is complete.
 * @module
 */
import { open, rename } from "node:fs/promises";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { resultLine } from "nibble-llm/batch";
import { jobId, openQueue, QUEUE, readFile, run } from "./queue.js";

const POLL_MS = 500;

run(async ([requestsPath, resultsPath, flag]) => {
  if (!resultsPath || (flag !== undefined && flag !== "--remove"))
    throw new Error("usage: node collect.js REQUESTS.jsonl RESULTS.jsonl [--remove]");
  const requests = await readFile(requestsPath);
  const queue = await openQueue();
  /** The file gets its name when it is complete. */
  const part = `${resultsPath}.part`;
  const file = await open(part, "w");
  let failed = 0;
  for (const request of requests) {
    const { returnvalue, failedReason } = await finished(queue, request);
    if (failedReason) failed++;
    const outcome = failedReason ? { error: { code: "failed", message: failedReason } } : returnvalue;
    await file.write(`${resultLine(request, outcome)}\n`);
  }
  await file.close();
  await rename(part, resultsPath);
  if (flag === "--remove") for (const request of requests) await queue.remove(jobId(request));
  await queue.close();
  console.log(`${requests.length} results are in ${resultsPath}; ${failed} of them are errors`);
  process.exitCode = failed > 0 ? 1 : 0;
});

/** The job of a request once it has been answered, or has failed in its last attempt. */
async function finished(queue, request) {
  for (;;) {
    const job = await queue.getJob(jobId(request));
    if (!job) throw new Error(`${request.customId} is not in the queue ${QUEUE}: run enqueue.js with this file first`);
    if (job.finishedOn) return job;
    await setTimeout(POLL_MS);
  }
}
