/**
 * OpenAI's chat completions: the shapes of a request and its answer.
 * @module
 */
import type { Timings, Usage } from "../generate/events.ts";
import type { CommonFields, FinishReason, PromptLogprobs } from "./common-types.ts";

/** A part of a message's content. Only text is supported. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** A function that the model may call. */
export interface ToolParam {
  readonly type: "function";
  readonly function: {
    /** 1 to 64 letters, digits, _ and -. */
    readonly name: string;
    readonly description?: string | null;
    /** JSON schema of the arguments. */
    readonly parameters?: object | null;
    /** Accepted; a forced call keeps to the schema, any other is the model's own. */
    readonly strict?: boolean | null;
  };
}

/** The function that the model must call. */
export interface ToolChoice {
  readonly type: "function";
  readonly function: { readonly name: string };
}

/** The tools that this request may call. */
export interface AllowedTools {
  readonly type: "allowed_tools";
  readonly allowed_tools: { readonly mode: "auto" | "required"; readonly tools: readonly ToolChoice[] };
}

/** A message of a request. */
export interface ChatMessageParam {
  /** system, developer, user, assistant or tool; another is refused. (A string, so that TypeScript takes any array.) */
  readonly role: string;
  readonly content?: string | readonly TextPart[] | null;
  readonly name?: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
}

/** A budget of reasoning tokens, by name. */
export type ReasoningEffort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

/** A request for the next message of a conversation. */
export interface ChatCompletionRequest extends CommonFields {
  readonly messages: readonly ChatMessageParam[];
  readonly max_completion_tokens?: number | null;
  readonly logprobs?: boolean | null;
  /** 0 to 20, with `logprobs: true`. */
  readonly top_logprobs?: number | null;
  /**
   * "auto" (default) and "deepseek" move the text in `<think>` to `reasoning_content`; "none" leaves it in the content.
   * With "deepseek" a model may also reason before an answer of a wanted format where its template does not show that it
   * reasons (crumb).
   */
  readonly reasoning_format?: "none" | "deepseek" | "deepseek-legacy" | "auto" | null;
  /** A budget by name: none 0, minimal 128, low 512, medium 2,048, high 8,192 tokens; the others are no bound. */
  readonly reasoning_effort?: ReasoningEffort | null;
  /** Other names of `reasoning_budget` and `reasoning_effort`; of all four one may be given. */
  readonly reasoning?: { readonly max_tokens?: number | null; readonly effort?: ReasoningEffort | null } | null;
  /** Functions that the model may call: at most 128. */
  readonly tools?: readonly ToolParam[] | null;
  /** Default "auto". "required" and a function's name force a call by a grammar. */
  readonly tool_choice?: "none" | "auto" | "required" | ToolChoice | AllowedTools | null;
  /** More than one call in an answer (default true). */
  readonly parallel_tool_calls?: boolean | null;
  /** Variables for the chat template, such as `enable_thinking`; a name that it does not read is unknown. */
  readonly chat_template_kwargs?: Readonly<Record<string, unknown>> | null;
  /** Qwen's: false means no reasoning. The chat template gets it too, if it reads it. */
  readonly enable_thinking?: boolean | null;
  /** Documents to answer from, for chat templates that read them. */
  readonly documents?: readonly unknown[] | null;
  /** Anthropic's bound of reasoning. */
  readonly thinking?: { readonly type?: string | null; readonly budget_tokens?: number | null } | null;
  /**
   * vLLM's names for how the prompt ends. By default a conversation that ends with the assistant's turn is continued, any
   * other one gets a new turn.
   */
  readonly continue_final_message?: boolean | null;
  readonly add_generation_prompt?: boolean | null;
}

/** A call of a function that the model asks for. */
export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  /** `arguments` is JSON text; a model that is not held to a schema may write it wrong. */
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A piece of a call: the first one has its id and name, all of them more of the arguments' text. */
export interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: "function";
  readonly function: { readonly name?: string; readonly arguments: string };
}

/** A token and its log-probability. */
export interface ChatLogprob {
  readonly id: number;
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

/** A token of the answer, its log-probability and the most likely alternatives. */
export interface ChatTokenLogprob extends ChatLogprob {
  readonly top_logprobs: readonly ChatLogprob[];
  /** With `post_sampling_probs`: the probability behind all sampling steps. */
  readonly prob?: number;
  readonly top_probs?: readonly ChatProb[];
}

/** A token and the probability with which it could be drawn. */
export interface ChatProb {
  readonly id: number;
  readonly token: string;
  readonly bytes: readonly number[];
  readonly prob: number;
}

/** Log-probabilities of an answer. */
export interface ChatLogprobs {
  readonly content: readonly ChatTokenLogprob[];
  readonly refusal: null;
}

/** The answer to a `ChatCompletionRequest`. */
export interface ChatCompletion {
  readonly id: string;
  readonly object: "chat.completion";
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly message: {
      readonly role: "assistant";
      /** null where there are calls only. */
      readonly content: string | null;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly ToolCall[];
    };
    readonly logprobs: ChatLogprobs | null;
    readonly finish_reason: FinishReason;
    /** The stop string that came, where one ended the answer. */
    readonly stop_reason?: string;
  }[];
  readonly usage: Usage;
  readonly timings: Timings;
  readonly prompt_logprobs?: PromptLogprobs;
}

/** A piece of a streamed answer. */
export interface ChatCompletionChunk {
  readonly id: string;
  readonly object: "chat.completion.chunk";
  readonly created: number;
  readonly model: string;
  /** Empty in the chunk that carries `usage`. */
  readonly choices: readonly {
    readonly index: number;
    readonly delta: {
      readonly role?: "assistant";
      readonly content?: string;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly ToolCallDelta[];
    };
    readonly logprobs: ChatLogprobs | null;
    readonly finish_reason: FinishReason | null;
    /** The stop string that came, where one ended the answer. */
    readonly stop_reason?: string;
  }[];
  readonly usage?: Usage | null;
  /** In the chunk with the finish reason. */
  readonly timings?: Timings;
  readonly prompt_logprobs?: PromptLogprobs;
}
