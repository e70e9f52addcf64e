/**
 * Answers requests of the queue until it is told to end. Run it on as many machines as you like:
 *
 *   node worker.js [MODEL]
 *
 * MODEL is what nibble's `load` takes: a name, a GGUF file, a folder or a URL. The default is crumb.
 * @module
 */
import { hostname } from "node:os";
import process from "node:process";
import { Worker } from "bullmq";
import { load } from "nibble-llm";
import { answerRequest } from "nibble-llm/batch";
import { createHandler } from "nibble-llm/server";
import { claimQueue, connection, QUEUE, run } from "./queue.js";

/** Requests that this machine answers together. They share the model's steps, which is faster than one after the other. */
const CONCURRENCY = Number(process.env.CONCURRENCY ?? 4);
/** Milliseconds after which a job of a worker that has died is given to another. A living worker renews its claim. */
const LOCK_MS = Number(process.env.LOCK_MS ?? 30_000);
/** How often a job may lose its worker. Machines come and go, but a request that kills every worker must end. */
const MAX_LOST_WORKERS = 5;

run(async ([source = "crumb"]) => {
  const model = await load(source);
  await claimQueue(model.fingerprint());
  const handler = createHandler(model, { slots: CONCURRENCY });
  const answer = ({ data }, _token, signal) => answerRequest(data, handler, signal);
  const worker = new Worker(QUEUE, answer, {
    connection,
    concurrency: CONCURRENCY,
    name: `${hostname()}:${process.pid}`,
    lockDuration: LOCK_MS,
    stalledInterval: LOCK_MS,
    maxStalledCount: MAX_LOST_WORKERS,
  });
  worker.on("error", ({ message }) => console.error(message));
  worker.on("failed", (job, { message }) => console.error(`${job?.data.customId}: ${message}`));
  await worker.waitUntilReady();
  console.log(`${worker.opts.name}: ${model.info.name} answers the queue ${QUEUE}`);
  // Ends after the running jobs. A second signal ends at once, and the jobs go to other workers.
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, async () => {
      await worker.close();
      await handler.close();
      process.exit();
    });
});
