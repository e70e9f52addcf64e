/**
 * Runs jobs in `files-worker.ts`; this is the page's side of it.
 * @module
 */
import { type LoadOptions, type ModelPlan, type ModelRecord, NibbleError, type PullProgress } from "nibble-llm/browser";
import type { Job, Report } from "./files-worker.ts";

/** @throws NibbleError as `plan`; the signal's reason */
export async function planBeside(source: string | Blob, options: LoadOptions, signal: AbortSignal): Promise<ModelPlan> {
  return beside({ plan: source, options }, signal, (report) => ("planned" in report ? report.planned : undefined));
}

/** Fetches a model. After an abort, the next pull uses what was fetched. @throws NibbleError as `models.pull`; the signal's reason */
export async function pullBeside(
  name: string,
  onProgress: (progress: PullProgress) => void,
  signal: AbortSignal,
): Promise<ModelRecord> {
  return beside({ pull: name }, signal, (report) => {
    if ("progress" in report) onProgress(report.progress);
    return "pulled" in report ? report.pulled : undefined;
  });
}

/** Runs a job to its end. @param take returns the result of a report, if the report has one */
async function beside<T>(job: Job, signal: AbortSignal, take: (report: Report) => T | undefined): Promise<T> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./files-worker.js", import.meta.url), { type: "module" });
  try {
    return await new Promise<T>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      worker.onerror = ({ message }) => reject(new Error(message || "the worker could not be started"));
      worker.onmessage = ({ data }: MessageEvent<Report>) => {
        if ("error" in data) {
          const { code, message } = data.error;
          return reject(code === undefined ? new Error(message) : new NibbleError(code, message));
        }
        const result = take(data);
        if (result !== undefined) resolve(result);
      };
      worker.postMessage(job);
    });
  } finally {
    worker.terminate();
  }
}
