/**
 * Splits the text of one choice into reasoning, content and tool calls.
 * @module
 */
import { ReasoningSplitter } from "../../chat/reasoning.ts";
import { type CallDelta, ToolCallParser, type ToolParserOptions } from "../../chat/tool-calls.ts";
import { randomHex } from "../sample/random.ts";
import type { ChatCompletionChunk, ToolCallDelta } from "./chat-types.ts";

export type ChatDelta = ChatCompletionChunk["choices"][number]["delta"];

export interface ChatTextOptions {
  /** Whether the text in <think> is moved to `reasoning_content`. */
  readonly splitReasoning: boolean;
  /** The part of the answer that is already at the end of the prompt. It is parsed, but not returned again. */
  readonly begun: string;
  /** How tool calls are parsed, if there may be any. */
  readonly calls: ToolParserOptions | undefined;
  /** Whether a call is given in OpenAI's older form, which holds one. */
  readonly functions: boolean;
}

export class ChatText {
  readonly #splitter: ReasoningSplitter | undefined;
  readonly #parser: ToolCallParser | undefined;
  /** Whether a call is given in OpenAI's older form. */
  readonly functions: boolean;
  reasoningTokens = 0;

  constructor({ splitReasoning, begun, calls, functions }: ChatTextOptions) {
    this.#splitter = splitReasoning ? new ReasoningSplitter() : undefined;
    this.functions = functions;
    this.#parser = calls && new ToolCallParser(calls);
    if (begun === "") return;
    const content = this.#splitter ? this.#splitter.push(begun).content : begun;
    this.#parser?.begin(content);
  }

  /** The number of calls so far. */
  get calls(): number {
    return this.#parser?.count ?? 0;
  }

  /** Takes a token's text. Returns the text that has become certain. */
  push(text: string): ChatDelta {
    const { content, reasoning } = this.#splitter?.push(text) ?? { content: text, reasoning: "" };
    if (this.#splitter?.phase === "reasoning") this.reasoningTokens++;
    const parsed = this.#parser?.push(content) ?? { content, calls: [] };
    return this.#delta(reasoning, parsed.content, parsed.calls);
  }

  /** The text that was held back. @param cut the answer was cut off by its length or a stop string */
  end(cut: boolean): ChatDelta {
    const { content, reasoning } = this.#splitter?.end() ?? { content: "", reasoning: "" };
    if (!this.#parser) return this.#delta(reasoning, content, []);
    const last = this.#parser.push(content);
    const rest = this.#parser.end(cut);
    return this.#delta(reasoning, last.content + rest.content, [...last.calls, ...rest.calls]);
  }

  #delta(reasoning: string, content: string, calls: readonly CallDelta[]): ChatDelta {
    return {
      ...(reasoning && { reasoning_content: reasoning }),
      ...(content && { content }),
      ...(calls.length > 0 && (this.functions ? functionCall(calls) : { tool_calls: calls.map(toolCall) })),
    };
  }
}

/** The first call. The older form has no place for others. */
function functionCall(calls: readonly CallDelta[]): ChatDelta {
  const first = calls.filter(({ index }) => index === 0);
  if (first.length === 0) return {};
  const name = first.find((call) => call.name !== undefined)?.name;
  const text = first.map((call) => call.arguments).join("");
  return { function_call: { ...(name !== undefined && { name }), arguments: text } };
}

function toolCall({ index, name, arguments: text }: CallDelta): ToolCallDelta {
  if (name === undefined) return { index, function: { arguments: text } };
  return { index, id: `call_${randomHex()}`, type: "function", function: { name, arguments: text } };
}
