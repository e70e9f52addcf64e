/**
 * From a conversation to a prompt, by the model's chat template.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { fallbackTemplate } from "../chat/fallback.ts";
import { type ChatMessage, type ChatTemplate, compileTemplate } from "../chat/template.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import type { Core } from "./core.ts";
import { checkTemplateArguments } from "./request/arguments.ts";
import type { CheckedChatRequest } from "./request/chat.ts";
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

  /** The prompt of a chat request, with its tools. */
  of(request: CheckedChatRequest): { text: string; ids: number[] } {
    this.#checkVariableNames(request.templateVariables);
    const variables = Object.fromEntries(request.templateVariables);
    const conversation = showTools(request.messages, request.tools?.tools, this.support);
    const text = this.apply(conversation.messages, { variables, ...conversation.options });
    // The template has written BOS if the model wants one.
    return { text, ids: this.#core.tokenizer.encode(text, { special: true, addBos: false }) };
  }

  #checkVariableNames(variables: ReadonlyMap<string, unknown>): void {
    for (const variable of variables.keys()) {
      if (this.#template && !this.#template.names.has(variable)) {
        const param = `chat_template_kwargs.${variable}`;
        throw new NibbleError("invalid_request", `${param}: the model's chat template does not read it`, { param });
      }
    }
  }
}

/** The turn format that the vocabulary shows; undefined for a model without turns. */
function compileFallback(tokenizer: Tokenizer): ChatTemplate | undefined {
  try {
    return compileTemplate(fallbackTemplate(tokenizer));
  } catch {
    return undefined;
  }
}
