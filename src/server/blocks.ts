/**
 * The parts of an answer in their order: reasoning, text and tool calls. Anthropic's messages and OpenAI's responses
 * consist of them, whole and streamed.
 * @module
 */
import type { Usage } from "../engine/generate/events.ts";
import type { Timings } from "../engine/generate/timings.ts";
import type { ChatCompletionChunk, ChatTokenLogprob } from "../engine/openai/chat-types.ts";
import type { FinishReason, PromptProgress } from "../engine/openai/common-types.ts";

export interface Block {
  readonly kind: "reasoning" | "text" | "call";
  readonly index: number;
  /** The text so far; for a call, its arguments as JSON text. */
  text: string;
  /** Log-probabilities of a text's tokens, if the request asks for them. */
  readonly logprobs: ChatTokenLogprob[];
  /** A call's id and the name of its function; empty for the other kinds. */
  readonly id: string;
  readonly name: string;
}

export interface Finish {
  readonly type: "finish";
  readonly reason: FinishReason | "tool_calls";
  /** The stop string that ended the answer, if one did. */
  readonly stop: string | undefined;
  readonly usage: Usage;
  readonly timings: Timings | undefined;
}

export type BlockEvent =
  | { readonly type: "start" | "stop"; readonly block: Block }
  | Delta
  | { readonly type: "progress"; readonly progress: PromptProgress }
  | Finish;

/** A piece of a block. */
export interface Delta {
  readonly type: "delta";
  readonly block: Block;
  readonly text: string;
  readonly logprobs: ChatTokenLogprob[];
  /** The timings so far, where the request has `timings_per_token`. */
  readonly timings: Timings | undefined;
}

/** A chunk's delta, with tool calls in OpenAI's shape. */
type ChunkDelta = ChatCompletionChunk["choices"][number]["delta"] & {
  readonly tool_calls?: readonly {
    readonly index: number;
    readonly id?: string;
    readonly function?: { readonly name?: string; readonly arguments?: string };
  }[];
};

/** @param chunks of a chat completion, with usage. @param showReasoning false leaves reasoning out */
export async function* blocksOf(
  chunks: AsyncIterable<ChatCompletionChunk>,
  showReasoning = true,
): AsyncGenerator<BlockEvent, undefined> {
  let open: Block | undefined;
  let openCall = -1;
  /** Log-probabilities of tokens without text so far: half a character, what may be a stop string, reasoning and its tags. */
  const held: ChatTokenLogprob[] = [];
  let count = 0;
  let finish: Omit<Finish, "type" | "usage"> = { reason: "stop", stop: undefined, timings: undefined };

  function* enter(kind: Block["kind"], call?: { index: number; id: string; name: string }): Generator<BlockEvent> {
    if (open?.kind === kind && (!call || call.index === openCall)) return;
    yield* leave();
    open = { kind, index: count++, text: "", logprobs: [], id: call?.id ?? "", name: call?.name ?? "" };
    openCall = call?.index ?? -1;
    yield { type: "start", block: open };
  }
  function* append(text: string, timings?: Timings, logprobs: ChatTokenLogprob[] = []): Generator<BlockEvent> {
    if (!open || text === "") return;
    open.text += text;
    open.logprobs.push(...logprobs);
    yield { type: "delta", block: open, text, logprobs, timings };
  }
  function* leave(): Generator<BlockEvent> {
    if (open) yield { type: "stop", block: open };
    open = undefined;
  }

  for await (const { choices, usage, timings, prompt_progress: progress } of chunks) {
    if (progress) yield { type: "progress", progress };
    const [choice] = choices;
    if (choice) {
      held.push(...(choice.logprobs?.content ?? []));
      const { reasoning_content: reasoning, content, tool_calls: calls = [] }: ChunkDelta = choice.delta;
      if (reasoning && showReasoning) {
        yield* enter("reasoning");
        yield* append(reasoning, timings);
      }
      if (content) {
        yield* enter("text");
        yield* append(content, timings, takeMakers(held, content));
      }
      for (const { index, id = "", function: { name = "", arguments: text = "" } = {} } of calls) {
        yield* enter("call", { index, id, name });
        yield* append(text, timings);
      }
      if (choice.finish_reason) finish = { reason: choice.finish_reason, stop: choice.stop_reason, timings };
    }
    if (usage) {
      yield* leave();
      yield { type: "finish", ...finish, usage };
    }
  }
}

/** Empties the list and returns the last tokens of it that have at least as many bytes as the text. */
function takeMakers(held: ChatTokenLogprob[], text: string): ChatTokenLogprob[] {
  let missing = new TextEncoder().encode(text).length;
  let first = held.length;
  while (first > 0 && missing > 0) missing -= held[--first]!.bytes.length;
  return held.splice(0).slice(first);
}

/** An id that looks like OpenAI's and Anthropic's: a prefix and 24 hexadecimal digits. */
export function randomId(prefix: string): string {
  const random = crypto.getRandomValues(new Uint8Array(12));
  return `${prefix}_${Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** An answer as the assistant's turn of the next request. */
export function assistantTurn(blocks: readonly Block[]): Readonly<Record<string, unknown>> {
  const text = (kind: Block["kind"]): string => blocks.map((one) => (one.kind === kind ? one.text : "")).join("");
  const calls = blocks
    .filter(({ kind }) => kind === "call")
    .map(({ id, name, text: given }) => ({ id, type: "function", function: { name, arguments: given } }));
  return {
    role: "assistant",
    content: text("text"),
    ...(text("reasoning") && { reasoning_content: text("reasoning") }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** The same parts; with the last one, `onEnd` receives all blocks. */
export async function* whenEnded(
  parts: AsyncIterable<BlockEvent>,
  onEnd: (blocks: readonly Block[]) => void,
): AsyncGenerator<BlockEvent, undefined> {
  const blocks: Block[] = [];
  for await (const part of parts) {
    if (part.type === "stop") blocks.push(part.block);
    if (part.type === "finish") onEnd(blocks);
    yield part;
  }
}
