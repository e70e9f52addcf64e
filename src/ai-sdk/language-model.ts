/**
 * Makes a loaded model a language model of the AI SDK.
 * @module
 */
import type { Model } from "../engine/model.ts";
import { ContentCollector, failureParts, streamParts } from "./parts.ts";
import { PROVIDER, toRequest } from "./settings.ts";
import type { CallOptions, GenerateResult, LanguageModel, SpecificationVersion, StreamPart } from "./types.ts";

/** The part of a model that the provider uses; the model may run in this thread or in a worker. */
export type ProvidedModel = Pick<Model, "info" | "chat" | "embeddings">;
export type OpenModel = () => Promise<ProvidedModel>;

/** @param open resolves to the model; every request calls it */
export function createLanguageModel<Version extends SpecificationVersion>(
  specificationVersion: Version,
  modelId: string,
  open: OpenModel,
): LanguageModel<Version> {
  async function start(options: CallOptions): Promise<{ parts: AsyncGenerator<StreamPart>; body: unknown }> {
    const { request, warnings } = toRequest(options);
    const model = await open();
    const signal = options.abortSignal;
    const chunks = await model.chat.completions.create(request, signal && { signal });
    return { parts: streamParts(chunks, warnings, options.includeRawChunks ?? false), body: request };
  }

  return {
    specificationVersion,
    provider: PROVIDER,
    modelId,
    supportedUrls: {},

    async doGenerate(options) {
      const { parts, body } = await start(options);
      const collector = new ContentCollector();
      const result: Partial<GenerateResult> = {};
      for await (const part of parts) {
        collector.push(part);
        if (part.type === "stream-start") result.warnings = part.warnings;
        else if (part.type === "response-metadata") {
          const { type: _, ...response } = part;
          result.response = response;
        } else if (part.type === "finish") {
          result.usage = part.usage;
          result.finishReason = part.finishReason;
        }
      }
      return { ...(result as GenerateResult), content: collector.content, request: { body } };
    },

    async doStream(options) {
      const { parts, body } = await start(options);
      return { stream: toStream(parts, options.abortSignal), request: { body } };
    },
  };
}

/** Each pull takes one part, so that a slow reader slows the model down. */
function toStream(parts: AsyncGenerator<StreamPart>, signal: AbortSignal | undefined): ReadableStream<StreamPart> {
  return new ReadableStream<StreamPart>(
    {
      async pull(controller) {
        try {
          const { done, value } = await parts.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          // An abort is not a failure of the model, so it reaches the reader as it is.
          if (signal?.aborted) return controller.error(error);
          for (const part of failureParts(error)) controller.enqueue(part);
          controller.close();
        }
      },
      async cancel() {
        await parts.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
