/**
 * The entry of a helping thread on Node, Deno and Bun (`dist/thread.mjs`).
 * @module
 */
import { parentPort, workerData } from "node:worker_threads";
import { serveThread } from "../../runtime/threads.ts";

serveThread(workerData, () => parentPort!.postMessage("ready"));
