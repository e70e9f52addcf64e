/**
 * OpenAI's /v1/completions.
 * @module
 */
import { collectCompletion } from "../../engine/openai/completion.ts";
import type { Completion, CompletionRequest } from "../../engine/openai/completion-types.ts";
import type { Prepared } from "../answer.ts";
import type { Call } from "../call.ts";
import { chunkEvents, failureEvent, readStream } from "./stream.ts";
import { withoutUnused } from "./unused-fields.ts";

/** The engine checks every field: this is the type of a request that has passed. */
type StreamedRequest = CompletionRequest & { stream: true };

/** @throws NibbleError that names the field */
export async function prepareCompletion({ model, body }: Call, signal: AbortSignal): Promise<Prepared<Completion>> {
  const { stream, request } = readStream(withoutUnused(body));
  const chunks = await model.completions.create(request as unknown as StreamedRequest, { signal });
  return { stream, chunks, collect: collectCompletion, events: chunkEvents, failure: failureEvent };
}
