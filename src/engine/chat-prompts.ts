/**
 * From a conversation to a prompt, by the model's chat template.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { nearestName } from "../base/field-table.ts";
import type { FieldRules } from "../base/fields.ts";
import { fallbackTemplate } from "../chat/fallback.ts";
import { type ChatMessage, type ChatTemplate, compileTemplate } from "../chat/template.ts";
import { begunBy } from "../chat/turn.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import type { Core } from "./core.ts";
import { type OpenPrompt, renderOpen } from "./prefill.ts";
import { checkTemplateArguments } from "./request/arguments.ts";
import type { CheckedChatRequest, PromptEnding } from "./request/chat.ts";
import { showTools, type ToolSupport, toolSupport } from "./request/tool-support.ts";

/** How a conversation becomes a prompt. */
export interface ApplyTemplateOptions {
  /** End with the header of the assistant's turn (default true). */
  readonly addGenerationPrompt?: boolean;
  /** Tools in OpenAI's form, for templates that describe them to the model. */
  readonly tools?: readonly unknown[];
  /** More variables for the template, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** What the template's `strftime_now` tells (default: now). */
  readonly now?: Date;
}

export interface ChatPrompt {
  readonly text: string;
  readonly ids: number[];
  /** The part of the assistant's turn that the text ends with. */
  readonly begun: string;
}

export class ChatPrompts {
  /** Where the template comes from; "none": the model has none, and no known turn tokens. */
  readonly origin: "model" | "fallback" | "none";
  readonly support: ToolSupport;
  /** Jinja source of the model's own template, if it has one. */
  readonly source: string | undefined;
  readonly #template: ChatTemplate | undefined;
  readonly #core: Core;

  /** @throws NibbleError `template_error` if the source does not parse */
  constructor(core: Core, source: string | undefined) {
    this.#core = core;
    this.source = source;
    this.#template = source === undefined ? compileFallback(core.tokenizer) : compileTemplate(source);
    this.origin = source !== undefined ? "model" : this.#template ? "fallback" : "none";
    this.support = toolSupport(source, this.#template?.names);
  }

  /** @throws NibbleError `invalid_argument`, `template_error`; `invalid_request` if the model has no template */
  apply(messages: readonly ChatMessage[], options: ApplyTemplateOptions = {}): string {
    const { tokenizer } = this.#core;
    this.#core.checkLive();
    checkTemplateArguments(messages, options);
    // `fallbackTemplate` throws an error that explains why there is no template.
    const { render } = this.#template ?? compileTemplate(fallbackTemplate(tokenizer));
    const text = (id: number | undefined) => (id === undefined ? undefined : tokenizer.token(id));
    return render({
      messages,
      addGenerationPrompt: options.addGenerationPrompt ?? true,
      bosToken: text(tokenizer.bosId),
      eosToken: text(tokenizer.eosId),
      tools: options.tools,
      extra: new Map(Object.entries(options.variables ?? {})),
      now: options.now,
    });
  }

  /**
   * The prompt of a chat request, with its tools.
   * @param rules what happens to variables that the template does not read
   */
  of(request: CheckedChatRequest, rules: FieldRules = {}): ChatPrompt {
    const variables = this.#readVariables(request.templateVariables, rules);
    const conversation = showTools(request.messages, request.tools?.tools, this.support);
    const render = (messages: readonly ChatMessage[], addGenerationPrompt: boolean): string =>
      this.apply(messages, { variables, ...conversation.options, addGenerationPrompt });
    const { text, begun } = renderEnding(render, conversation.messages, request.ending);
    // The template has written BOS if the model wants one.
    return { text, begun, ids: this.#core.tokenizer.encode(text, { special: true, addBos: false }) };
  }

  #readVariables(given: ReadonlyMap<string, unknown>, { onUnknown }: FieldRules): Record<string, unknown> {
    const names = this.#template?.names;
    const variables = [...given].filter(([name]) => {
      if (!names || names.has(name)) return true;
      const param = `chat_template_kwargs.${name}`;
      const near = nearestName(name, names);
      const hint = near === undefined ? "" : `; did you mean ${near}?`;
      const message = `${param}: the model's chat template does not read this variable${hint}`;
      const error = new NibbleError("invalid_request", message, { param });
      if (!onUnknown) throw error;
      onUnknown(error);
      return false;
    });
    return Object.fromEntries(variables);
  }
}

function renderEnding(
  render: (messages: readonly ChatMessage[], addGenerationPrompt: boolean) => string,
  messages: readonly ChatMessage[],
  ending: PromptEnding,
): OpenPrompt {
  if (ending === "open message") return renderOpen(render, messages);
  const text = render(messages, ending === "new turn");
  return { text, begun: begunBy(text) };
}

/** The turn format that the vocabulary shows; undefined for a model without turns. */
function compileFallback(tokenizer: Tokenizer): ChatTemplate | undefined {
  try {
    return compileTemplate(fallbackTemplate(tokenizer));
  } catch {
    return undefined;
  }
}
