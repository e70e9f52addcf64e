/**
 * Turns conversations into prompts by the model's chat template.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { nearestName } from "../base/field-table.ts";
import { type FieldRules, unsupported } from "../base/fields.ts";
import { fallbackTemplate } from "../chat/fallback.ts";
import { type NamedTemplates, templateName } from "../chat/named-templates.ts";
import { type ChatMessage, type ChatTemplate, compileTemplate } from "../chat/template.ts";
import { begunBy } from "../chat/turn.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import type { Core } from "./core.ts";
import { type OpenPrompt, renderOpen } from "./prefill.ts";
import { checkTemplateArguments } from "./request/arguments.ts";
import { boundedEncode } from "./request/bounded-encode.ts";
import type { CheckedChatRequest, PromptEnding } from "./request/chat.ts";
import type { OwnVariables } from "./request/messages.ts";
import { showTools, type ToolSupport, toolSupport } from "./request/tool-support.ts";

/** Options of `applyTemplate`. */
export interface ApplyTemplateOptions {
  /** End with the header of the assistant's turn (default true). */
  readonly addGenerationPrompt?: boolean;
  /** Tools in OpenAI's form, for templates that describe them to the model. */
  readonly tools?: readonly unknown[];
  /** More variables for the template, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The time that the template's `strftime_now` formats (default: now). */
  readonly now?: Date;
}

export interface ChatPrompt {
  readonly text: string;
  readonly ids: number[];
  /** The part of the assistant's turn that the text ends with. */
  readonly begun: string;
}

export class ChatPrompts {
  /** The origin of the template; "none" if the model has neither a template nor known turn tokens. */
  readonly origin: "model" | "fallback" | "none";
  readonly #templates: NamedTemplates;
  readonly #compiled = new Map<string, ChatTemplate>();
  readonly #core: Core;
  #system: boolean | undefined;

  /**
   * @param own the model's templates by name
   * @throws NibbleError `template_error` if the default one does not parse; others are compiled when they are used
   */
  constructor(core: Core, own: NamedTemplates = new Map()) {
    this.#core = core;
    this.#templates = own.size > 0 ? own : fallbackTemplates(core.tokenizer);
    this.origin = own.size > 0 ? "model" : this.#templates.size > 0 ? "fallback" : "none";
    if (this.#templates.has("default")) this.#template(false);
  }

  /** The Jinja source of the model's own template for requests with or without tools; undefined if it has none. */
  source(hasTools: boolean): string | undefined {
    return this.origin === "model" ? this.#templates.get(templateName(this.#templates, hasTools)) : undefined;
  }

  /** How the template for requests with tools supports them. */
  get support(): ToolSupport {
    return toolSupport(this.source(true), this.#template(true)?.names);
  }

  #template(hasTools: boolean): ChatTemplate | undefined {
    if (this.origin === "none") return undefined;
    const name = templateName(this.#templates, hasTools);
    const template = this.#compiled.get(name) ?? compileTemplate(this.#templates.get(name)!);
    this.#compiled.set(name, template);
    return template;
  }

  /** The texts of the tokens that a template may put around a conversation. */
  turnTokens(): { readonly bosToken: string | undefined; readonly eosToken: string | undefined } {
    const { tokenizer } = this.#core;
    const text = (id: number | undefined) => (id === undefined ? undefined : tokenizer.token(id));
    return { bosToken: text(tokenizer.bosId), eosToken: text(tokenizer.eosId) };
  }

  /** @throws NibbleError `invalid_argument`, `template_error`; `invalid_request` if the model has no template */
  apply(messages: readonly ChatMessage[], options: ApplyTemplateOptions = {}): string {
    const { tokenizer } = this.#core;
    this.#core.checkLive();
    checkTemplateArguments(messages, options);
    // `fallbackTemplate` throws an error that explains why there is no template.
    const { render } = this.#template(options.tools !== undefined) ?? compileTemplate(fallbackTemplate(tokenizer));
    return render({
      messages,
      addGenerationPrompt: options.addGenerationPrompt ?? true,
      ...this.turnTokens(),
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
    const native = request.tools !== undefined && this.support.native;
    const names = this.#template(native)?.names;
    const variables = {
      ...readOwnVariables(request.ownVariables, names),
      ...this.#readVariables(request.templateVariables, names, rules),
    };
    const conversation = showTools(request.messages, request.tools?.tools, this.support, () => this.#showsSystem());
    const render = (messages: readonly ChatMessage[], addGenerationPrompt: boolean): string =>
      this.apply(messages, { variables, ...conversation.options, addGenerationPrompt });
    const { text, begun } = renderEnding(render, conversation.messages, request.ending);
    // The template has written BOS if the model wants one.
    const { tokenizer, executor } = this.#core;
    const encode = boundedEncode(tokenizer, executor.contextLength, "messages");
    return { text, begun, ids: encode(text, { special: true, addBos: false }) };
  }

  /** Whether the template shows system messages: some refuse them, others leave them out. */
  #showsSystem(): boolean {
    if (this.#system !== undefined) return this.#system;
    const text = "a system message";
    const messages = [
      { role: "system", content: text },
      { role: "user", content: "a question" },
    ];
    try {
      this.#system = this.apply(messages).includes(text);
    } catch (error) {
      if (!(error instanceof NibbleError) || error.code !== "template_error") throw error;
      this.#system = false;
    }
    return this.#system;
  }

  /** @param names the variables that the template reads; undefined if there is no template */
  #readVariables(
    given: ReadonlyMap<string, unknown>,
    names: ReadonlySet<string> | undefined,
    { onUnknown }: FieldRules,
  ): Record<string, unknown> {
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

/** Thinking is switched by a bound of reasoning too, so a template need not read it. Documents it must read. */
function readOwnVariables(own: OwnVariables, names: ReadonlySet<string> | undefined): OwnVariables {
  if (own.documents && !names?.has("documents"))
    throw unsupported(
      "documents",
      "a list of documents with this model's chat template",
      "put their text into a message",
    );
  const { enable_thinking: thinking, ...documents } = own;
  return thinking !== undefined && names?.has("enable_thinking") ? own : documents;
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

/** The turn format that fits the vocabulary; none for a model without turns. */
function fallbackTemplates(tokenizer: Tokenizer): NamedTemplates {
  try {
    return new Map([["default", fallbackTemplate(tokenizer)]]);
  } catch {
    return new Map();
  }
}
