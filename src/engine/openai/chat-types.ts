/**
 * OpenAI's chat completions: the shapes of a request and its answer.
 * @module
 */
import type { Usage } from "../generate/events.ts";
import type { Timings } from "../generate/timings.ts";
import type { CommonFields, FinishReason, PromptLogprobs, PromptProgress } from "./common-types.ts";

/** A part of a message's content. Only text is supported. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** A function that the model may call. */
export interface ToolParam {
  readonly type: "function";
  readonly function: {
    /** The name: 1 to 128 letters, digits and any of _ - . : / */
    readonly name: string;
    readonly description?: string | null;
    /** JSON schema of the arguments. */
    readonly parameters?: object | null;
    /** Accepted and not used. A forced call always satisfies the schema. */
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
  /** One of system, developer, user, assistant and tool. (The type is string, so that TypeScript accepts any array.) */
  readonly role: string;
  readonly content?: string | readonly TextPart[] | null;
  readonly name?: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly unknown[];
  /** OpenAI's older form of one call. */
  readonly function_call?: unknown;
  readonly tool_call_id?: string;
}

/** A budget of reasoning tokens, by name. */
export type ReasoningEffort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

/** A request for the next message of a conversation. */
export interface ChatCompletionRequest extends CommonFields {
  readonly messages: readonly ChatMessageParam[];
  readonly max_completion_tokens?: number | null;
  readonly logprobs?: boolean | null;
  /** Number of alternatives per token, 0 to 20. It needs `logprobs: true`. */
  readonly top_logprobs?: number | null;
  /**
   * "auto" (default) and "deepseek" move the text in `<think>` to `reasoning_content`; "none" leaves it in the content.
   * With "deepseek" a model may also reason before an answer in a required format if its template does not show that it
   * reasons (such as crumb's).
   */
  readonly reasoning_format?: "none" | "deepseek" | "deepseek-legacy" | "auto" | null;
  /**
   * A budget of reasoning by name: none is 0, minimal 128, low 512, medium 2,048 and high 8,192 tokens. The others are
   * no limit.
   */
  readonly reasoning_effort?: ReasoningEffort | null;
  /** Other names of `reasoning_budget` and `reasoning_effort`. Only one of the four may be given. */
  readonly reasoning?: { readonly max_tokens?: number | null; readonly effort?: ReasoningEffort | null } | null;
  /** Functions that the model may call: at most 128. */
  readonly tools?: readonly ToolParam[] | null;
  /**
   * Whether the answer may or must be a call (default "auto"). "required" and a function's name force a call by a
   * grammar.
   */
  readonly tool_choice?: "none" | "auto" | "required" | ToolChoice | AllowedTools | null;
  /** OpenAI's older form of `tools`. The answer then has at most one call, in `function_call`. */
  readonly functions?: readonly ToolParam["function"][] | null;
  /** OpenAI's older form of `tool_choice`. */
  readonly function_call?: "none" | "auto" | { readonly name: string } | null;
  /** Whether an answer may have more than one call (default true). */
  readonly parallel_tool_calls?: boolean | null;
  /**
   * Variables for the chat template, such as `enable_thinking`. A name that the template does not read is an unknown
   * field.
   */
  readonly chat_template_kwargs?: Readonly<Record<string, unknown>> | null;
  /** Qwen's switch: false means no reasoning. It is also passed to a chat template that reads it. */
  readonly enable_thinking?: boolean | null;
  /** Documents to answer from, for chat templates that read them. */
  readonly documents?: readonly unknown[] | null;
  /** Anthropic's bound of reasoning. */
  readonly thinking?: { readonly type?: string | null; readonly budget_tokens?: number | null } | null;
  /**
   * vLLM's fields for the end of the prompt. By default, a last message of the assistant is continued, and any other
   * conversation gets a new turn.
   */
  readonly continue_final_message?: boolean | null;
  readonly add_generation_prompt?: boolean | null;
}

/** A call of a function that the model asks for. */
export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  /** `arguments` is JSON text. Without a forced schema a model may write invalid JSON. */
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A piece of a call. The first piece has the call's id and name; each piece has more text of the arguments. */
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
  /** The probability after all sampling steps. Present with `post_sampling_probs`. */
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
      /** The text of the answer; null if it consists of calls only. */
      readonly content: string | null;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly ToolCall[];
      /** The call, where the request had `functions`. */
      readonly function_call?: ToolCall["function"];
    };
    readonly logprobs: ChatLogprobs | null;
    readonly finish_reason: FinishReason;
    /** The stop string that came, where one ended the answer. */
    readonly stop_reason?: string;
    /** The ids of the answer's tokens, with `return_token_ids`. */
    readonly token_ids?: readonly number[];
  }[];
  readonly usage: Usage;
  readonly timings: Timings;
  readonly prompt_logprobs?: PromptLogprobs;
  /** The ids of the prompt's tokens, with `return_token_ids`. */
  readonly prompt_token_ids?: readonly number[];
}

/** A piece of a streamed answer. */
export interface ChatCompletionChunk {
  readonly id: string;
  readonly object: "chat.completion.chunk";
  readonly created: number;
  readonly model: string;
  /** The pieces of choices; empty in the chunk that has `usage`. */
  readonly choices: readonly {
    readonly index: number;
    readonly delta: {
      readonly role?: "assistant";
      readonly content?: string;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly ToolCallDelta[];
      /** A piece of the call, where the request had `functions`. */
      readonly function_call?: ToolCallDelta["function"];
    };
    readonly logprobs: ChatLogprobs | null;
    readonly finish_reason: FinishReason | null;
    /** The stop string that came, where one ended the answer. */
    readonly stop_reason?: string;
    /** The ids of the answer's tokens, with `return_token_ids`. */
    readonly token_ids?: readonly number[];
  }[];
  readonly usage?: Usage | null;
  /** llama-server's timings, in the chunk with the finish reason. */
  readonly timings?: Timings;
  /** With `return_progress`, in chunks before the answer. */
  readonly prompt_progress?: PromptProgress;
  readonly prompt_logprobs?: PromptLogprobs;
  /** The ids of the prompt's tokens, with `return_token_ids`. */
  readonly prompt_token_ids?: readonly number[];
}
