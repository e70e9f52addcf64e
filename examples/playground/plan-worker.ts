/**
 * Reads a model's header beside the page: a vocabulary of 128,000 tokens takes longer than a frame.
 * @module
 */
import { type LoadOptions, type ModelPlan, NibbleError, plan } from "nibble-llm/browser";

export interface PlanRequest {
  readonly source: string | Blob;
  readonly options: LoadOptions;
}

export type PlanAnswer = { readonly plan: ModelPlan } | { readonly error: { code?: string; message: string } };

const say = (answer: PlanAnswer): void => postMessage(answer);

addEventListener("message", ({ data: { source, options } }: MessageEvent<PlanRequest>) => {
  plan(source, options).then(
    (planned) => say({ plan: planned }),
    (error: Error) =>
      say({ error: { message: error.message, ...(error instanceof NibbleError && { code: error.code }) } }),
  );
});
