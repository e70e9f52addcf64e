/**
 * Does jobs in a worker that take longer than a frame: reading a header with a vocabulary of 128,000 tokens, or hashing
 * a fetched file. Each worker does one job.
 * @module
 */
import {
  type LoadOptions,
  type ModelPlan,
  type ModelRecord,
  models,
  NibbleError,
  type PullProgress,
  plan,
} from "nibble-llm/browser";

export type Job =
  | { readonly plan: string | Blob; readonly options: LoadOptions }
  /** A model's name; it is fetched into the browser's storage. */
  | { readonly pull: string };

export type Report =
  | { readonly planned: ModelPlan }
  | { readonly progress: PullProgress }
  | { readonly pulled: ModelRecord }
  | { readonly error: { readonly code?: NibbleError["code"]; readonly message: string } };

const say = (report: Report): void => postMessage(report);

async function run(job: Job): Promise<void> {
  if ("plan" in job) say({ planned: await plan(job.plan, job.options) });
  else say({ pulled: await models.pull(job.pull, { onProgress: (progress) => say({ progress }) }) });
}

addEventListener("message", ({ data }: MessageEvent<Job>) => {
  run(data).catch((error: Error) => {
    say({ error: { message: error.message, ...(error instanceof NibbleError && { code: error.code }) } });
  });
});
