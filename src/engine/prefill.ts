/**
 * Prompts that end inside of the assistant's last message, so that the model continues it.
 * @module
 */
import { CLOSE_TAG, OPEN_TAG, opensReasoning } from "../chat/reasoning.ts";
import type { ChatMessage } from "../chat/template.ts";
import { begunBy } from "../chat/turn.ts";

export interface OpenPrompt {
  readonly text: string;
  /** The beginning of the assistant's answer, with which the text ends. */
  readonly begun: string;
}

type Render = (messages: readonly ChatMessage[], addGenerationPrompt: boolean) => string;

/**
 * A mark that is appended to the content while the template runs. If its space is lost, the template trims the content.
 */
const MARK = "NIBBLE_CONTINUES_THIS_MESSAGE ";

/**
 * A conversation whose last message is to be continued, as transformers' `continue_final_message` renders it: the
 * template renders the message, and everything after the content is cut off.
 */
export function renderOpen(render: Render, messages: readonly ChatMessage[]): OpenPrompt {
  const last = messages.at(-1)!;
  const content = last.content ?? "";
  const reasoning = typeof last.reasoning_content === "string" ? last.reasoning_content : "";
  if (content === "") return renderReasoning(render, messages, reasoning);
  const opened = content.trimStart();
  if (opened.startsWith(OPEN_TAG) && !opened.includes(CLOSE_TAG))
    return renderReasoning(render, messages, opened.slice(OPEN_TAG.length));
  const text = render([...messages.slice(0, -1), { ...last, content: content + MARK }], false);
  const end = text.lastIndexOf(MARK.trimEnd());
  if (end < 0) return append(render(messages.slice(0, -1), true), content);
  const trimmed = !text.startsWith(MARK, end);
  const written = trimmed ? text.slice(0, end).trimEnd() : text.slice(0, end);
  const before = written.slice(0, written.lastIndexOf(content.trim()));
  return { text: written, begun: begunBy(before) + content };
}

/** The message ends inside of its reasoning, where templates differ most: its beginning is appended as it is. */
function renderReasoning(render: Render, messages: readonly ChatMessage[], reasoning: string): OpenPrompt {
  const prompt = render(messages.length > 1 ? messages.slice(0, -1) : messages, true);
  if (reasoning === "") return { text: prompt, begun: begunBy(prompt) };
  return append(prompt, opensReasoning(prompt) ? reasoning.trimStart() : `${OPEN_TAG}${reasoning}`);
}

function append(prompt: string, answer: string): OpenPrompt {
  return { text: prompt + answer, begun: begunBy(prompt) + answer };
}
