/**
 * Requests without a prompt: they load a model, or drop it where `keep_alive` is 0.
 * @module
 */
import type { ChatCompletionChunk } from "../../engine/openai/chat-types.ts";
import type { Prepared } from "../answer.ts";
import type { Call } from "../call.ts";
import { errorBody } from "../errors.ts";
import { jsonLine } from "../streams.ts";
import { lineHead } from "./answer.ts";

/** The answer to a request that only loads the model. By then the model is loaded. */
export function onlyLoads({ model, lease }: Call, stream: boolean, empty: object): Prepared<ChatCompletionChunk> {
  const reason = lease.keepAliveMs === 0 ? "unload" : "load";
  const answer = { ...lineHead(model.info.name), ...empty, done: true, done_reason: reason };
  return {
    stream,
    format: "lines",
    chunks: nothing(),
    collect: async () => answer,
    async *events() {
      yield jsonLine(answer);
    },
    failure: (error) => jsonLine(errorBody(error, "ollama")),
  };
}

async function* nothing(): AsyncGenerator<never, undefined> {}
