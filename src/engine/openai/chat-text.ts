/**
 * Splits the text of one choice into reasoning, content and tool calls.
 * @module
 */
import { ReasoningSplitter } from "../../chat/reasoning.ts";
import { type CallDelta, ToolCallParser, type ToolParserOptions } from "../../chat/tool-calls.ts";
import { randomHex } from "../sample/random.ts";
import type { ChatCompletionChunk, ToolCallDelta } from "./chat-types.ts";

export type ChatDelta = ChatCompletionChunk["choices"][number]["delta"];

export class ChatText {
  readonly #splitter: ReasoningSplitter | undefined;
  readonly #parser: ToolCallParser | undefined;
  reasoningTokens = 0;

  /**
   * @param begun the part of the answer that is already at the end of the prompt; it is parsed, but not returned again
   */
  constructor(splitReasoning: boolean, begun: string, calls: ToolParserOptions | undefined) {
    this.#splitter = splitReasoning ? new ReasoningSplitter() : undefined;
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
    return delta(reasoning, parsed.content, parsed.calls);
  }

  /** The text that was held back. @param cut the answer was cut off by its length or a stop string */
  end(cut: boolean): ChatDelta {
    const { content, reasoning } = this.#splitter?.end() ?? { content: "", reasoning: "" };
    if (!this.#parser) return delta(reasoning, content, []);
    const last = this.#parser.push(content);
    const rest = this.#parser.end(cut);
    return delta(reasoning, last.content + rest.content, [...last.calls, ...rest.calls]);
  }
}

function delta(reasoning: string, content: string, calls: readonly CallDelta[]): ChatDelta {
  return {
    ...(reasoning && { reasoning_content: reasoning }),
    ...(content && { content }),
    ...(calls.length > 0 && { tool_calls: calls.map(toolCall) }),
  };
}

function toolCall({ index, name, arguments: text }: CallDelta): ToolCallDelta {
  if (name === undefined) return { index, function: { arguments: text } };
  return { index, id: `call_${randomHex()}`, type: "function", function: { name, arguments: text } };
}
