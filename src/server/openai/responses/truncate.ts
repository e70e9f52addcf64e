/**
 * `truncation: "auto"`: a conversation that is too long loses its oldest messages.
 * @module
 */
import type { Body } from "../../body.ts";
import type { Call } from "../../call.ts";
import { countPromptTokens } from "../../engine-calls.ts";
import { asNibbleError } from "../../errors.ts";

type Chat = Body & { readonly messages: readonly Body[] };

/**
 * The chat with as many of its messages as the context has room for. The newest one stays, and so do the first
 * `instructions` ones. A result of a tool does not stay without its call.
 */
export async function fitContext(call: Call, chat: Chat, instructions: number): Promise<Chat> {
  const { messages } = chat;
  const without = (dropped: number): Chat => ({
    ...chat,
    messages: [...messages.slice(0, instructions), ...messages.slice(instructions + dropped)],
  });
  const fits = async (dropped: number): Promise<boolean> => {
    const tokens = await countTokens(call, without(dropped));
    return tokens === undefined || tokens < call.model.info.contextLength;
  };
  if (await fits(0)) return chat;
  const starts = Array.from({ length: messages.length - instructions }, (_, i) => i).filter(
    (i) => i > 0 && messages[instructions + i]!.role !== "tool",
  );
  // Fewer messages are fewer tokens, so the first start that fits is found by halving.
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await fits(starts[middle]!)) high = middle;
    else low = middle + 1;
  }
  return without(starts[high] ?? 0);
}

/**
 * The number of prompt tokens; undefined for a wrong request or a template that refuses the messages, which the engine
 * reports later.
 */
async function countTokens(call: Call, chat: Chat): Promise<number | undefined> {
  try {
    return await countPromptTokens(call, chat, []);
  } catch (error) {
    if (asNibbleError(error)) return undefined;
    throw error;
  }
}
