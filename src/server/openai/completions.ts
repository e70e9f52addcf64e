/**
 * OpenAI's /v1/completions.
 * @module
 */
import { collectCompletion } from "../../engine/openai/completion.ts";
import type { Completion } from "../../engine/openai/completion-types.ts";
import type { Prepared } from "../answer.ts";
import type { Call } from "../call.ts";
import { openText } from "../engine-calls.ts";
import { chunkEvents, failureEvent, fingerprintOf, readStream, withFingerprint } from "./stream.ts";

/** @throws NibbleError that names the field */
export async function prepareCompletion(call: Call, signal: AbortSignal): Promise<Prepared<Completion>> {
  const { stream, request } = readStream(call.body);
  const chunks = await openText(call, request, { signal, names: [] });
  const fingerprint = fingerprintOf(call);
  return {
    stream,
    chunks,
    collect: async (from) => withFingerprint(await collectCompletion(from), fingerprint),
    events: (from) => chunkEvents(from, fingerprint),
    failure: failureEvent,
  };
}
