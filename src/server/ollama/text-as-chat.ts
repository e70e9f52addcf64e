/**
 * Chunks of a text completion as those of a chat, whose only block is text.
 * @module
 */
import type { ChatCompletionChunk, ChatLogprob, ChatTokenLogprob } from "../../engine/openai/chat-types.ts";
import type { Completion } from "../../engine/openai/completion-types.ts";

export async function* textAsChat(chunks: AsyncIterable<Completion>): AsyncGenerator<ChatCompletionChunk, undefined> {
  for await (const { choices, ...chunk } of chunks) {
    yield {
      ...chunk,
      object: "chat.completion.chunk",
      choices: choices.map(({ text, logprobs, ...choice }) => ({
        ...choice,
        delta: { content: text },
        logprobs: logprobs && { content: tokensOf(logprobs), refusal: null },
      })),
    };
  }
}

function tokensOf({
  tokens,
  token_logprobs: logprobs,
  top_logprobs: tops,
}: NonNullable<Completion["choices"][number]["logprobs"]>): ChatTokenLogprob[] {
  return tokens.map((token, i) => ({
    ...entry(token, logprobs[i] ?? 0),
    top_logprobs: Object.entries(tops[i] ?? {}).map(([text, logprob]) => entry(text, logprob)),
  }));
}

/** A text completion does not tell ids. */
function entry(token: string, logprob: number): ChatLogprob {
  return { id: -1, token, logprob, bytes: Array.from(new TextEncoder().encode(token)) };
}
