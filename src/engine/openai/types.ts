/**
 * OpenAI's names and shapes, and llama-server's names for what OpenAI does not have.
 * @module
 */
import type { Timings, Usage } from "../generate.ts";
import type { LoraChoice } from "../lora.ts";
import type { SamplerName } from "../sample/options.ts";

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

interface SamplingFields {
  /** Any name; one model answers. */
  readonly model?: string | null;
  /** 0 to 2; 0 is greedy. Default: the checkpoint's, else 0.8. */
  readonly temperature?: number | null;
  /** Above 0 to 1. Default: the checkpoint's, else 0.95. */
  readonly top_p?: number | null;
  /** 0 or -1: off. Default: the checkpoint's, else 40. */
  readonly top_k?: number | null;
  /** 0 to 1. Default: the checkpoint's, else 0.05. */
  readonly min_p?: number | null;
  /** 0.01 to 10; 1: off. */
  readonly repeat_penalty?: number | null;
  /** vLLM's name of it; over all of the text, whatever `repeat_last_n` is. */
  readonly repetition_penalty?: number | null;
  /** Tokens that penalties look back on, prompt included: 0 none, -1 all. Default 64. */
  readonly repeat_last_n?: number | null;
  /** -2 to 2. */
  readonly presence_penalty?: number | null;
  /** -2 to 2. */
  readonly frequency_penalty?: number | null;
  /** llama.cpp's steps in the order in which they run; default: all of them in its own. Each of these settings: 0 or its neutral value is off. */
  readonly samplers?: readonly SamplerName[] | null;
  /** The temperature goes so far below and above, the higher the entropy. */
  readonly dynatemp_range?: number | null;
  readonly dynatemp_exponent?: number | null;
  /** Locally typical sampling; 1: off. */
  readonly typical_p?: number | null;
  /** Standard deviations below the highest logit; -1: off. */
  readonly top_n_sigma?: number | null;
  /** How often all top choices but one are left out, and what is one: at least this probability. */
  readonly xtc_probability?: number | null;
  readonly xtc_threshold?: number | null;
  /** Tokens that top-p, typical-p, min-p and xtc leave at least. */
  readonly min_keep?: number | null;
  /** DRY takes multiplier * base^(length - allowed_length) off what would go on with a repetition; 0: off. */
  readonly dry_multiplier?: number | null;
  readonly dry_base?: number | null;
  readonly dry_allowed_length?: number | null;
  /** Tokens that DRY looks back on: 0 none, -1 all (default). */
  readonly dry_penalty_last_n?: number | null;
  /** Texts that repetitions do not reach over: at most 16 of 40 characters. */
  readonly dry_sequence_breakers?: readonly string[] | null;
  /** 1 or 2: that version of Mirostat instead of the steps but the temperature; 0: off. */
  readonly mirostat?: number | null;
  /** Its target, bits a token, and its learning rate. */
  readonly mirostat_tau?: number | null;
  readonly mirostat_eta?: number | null;
  /** No end token before the answer has this many tokens. */
  readonly min_tokens?: number | null;
  /** Words that must not come: at most 128 of 256 characters. */
  readonly bad_words?: readonly string[] | null;
  /** Only these tokens may come. */
  readonly allowed_token_ids?: readonly number[] | null;
  /** These may not, at most 1,024. */
  readonly banned_token_ids?: readonly number[] | null;
  /** Token ids to -100 .. 100, added to their logits. At most 1,024. */
  readonly logit_bias?: Readonly<Record<string, number>> | null;
  /** The same seed and request give the same tokens on every host. Default: a random one. */
  readonly seed?: number | null;
  /** Answers to the one prompt, 1 to 8; each has its own random numbers. */
  readonly n?: number | null;
  /** At most 16 strings of 256 characters. */
  readonly stop?: string | readonly string[] | null;
  /** More tokens that end the answer. */
  readonly stop_token_ids?: readonly number[] | null;
  /** Never choose the model's end tokens. */
  readonly ignore_eos?: boolean | null;
  /** At least 1; cut to what the context holds. */
  readonly max_tokens?: number | null;
  /** Most tokens that a step drafts from earlier text (default and at most 16; 0: none). They change only the speed. */
  readonly "speculative.n_max"?: number | null;
  /** Log-probabilities of the prompt's tokens and of 0 to 20 alternatives, vLLM's; for one answer. Streams have them in one chunk, before the text. */
  readonly prompt_logprobs?: number | null;
  /**
   * Where the context is full: true forgets half of it, but for the first `n_keep` tokens, and goes on to `max_tokens`,
   * which is needed then. Default false: the answer ends there.
   */
  readonly context_shift?: boolean | null;
  readonly n_keep?: number | null;
  /** Tokens of reasoning after which `</think>` comes; 0: no reasoning, -1 (default): no bound. */
  readonly reasoning_budget?: number | null;
  /** Adapters to apply, others are not; default: each as it was loaded. */
  readonly lora?: readonly LoraChoice[] | null;
  readonly stream?: boolean | null;
  readonly stream_options?: { readonly include_usage?: boolean | null } | null;
  /** Accepted and not used. */
  readonly user?: string | null;
  /** What the answer has to be: JSON of a schema, any JSON object, or any text. */
  readonly response_format?: ResponseFormat | null;
  /** A grammar in llama.cpp's notation. Of this and the next ones, and `response_format`, one may be given. */
  readonly grammar?: string | null;
  /** llama-server's name for a schema. */
  readonly json_schema?: object | boolean | null;
  /** vLLM's. */
  readonly structured_outputs?: StructuredOutputs | null;
  /** vLLM's older names. */
  readonly guided_json?: object | boolean | null;
  readonly guided_regex?: string | null;
  readonly guided_choice?: readonly string[] | null;
  readonly guided_grammar?: string | null;
  readonly signal?: AbortSignal | null;
}

export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json_object"; readonly schema?: object | boolean | null }
  | {
      readonly type: "json_schema";
      readonly json_schema: {
        readonly name?: string | null;
        readonly description?: string | null;
        readonly schema?: object | boolean | null;
        /** Accepted; answers always keep to the schema. */
        readonly strict?: boolean | null;
      };
    };

export interface StructuredOutputs {
  readonly json?: object | boolean | null;
  readonly json_object?: boolean | null;
  /** Matches the whole answer. */
  readonly regex?: string | null;
  readonly choice?: readonly string[] | null;
  readonly grammar?: string | null;
}

export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

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

export interface ToolChoice {
  readonly type: "function";
  readonly function: { readonly name: string };
}

export interface ChatMessageParam {
  /** system, developer, user, assistant or tool; another is refused. (A string, so that TypeScript takes any array.) */
  readonly role: string;
  readonly content?: string | readonly TextPart[] | null;
  readonly name?: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
}

export type ReasoningEffort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

export interface ChatCompletionRequest extends SamplingFields {
  readonly messages: readonly ChatMessageParam[];
  readonly max_completion_tokens?: number | null;
  readonly logprobs?: boolean | null;
  /** 0 to 20, with `logprobs: true`. */
  readonly top_logprobs?: number | null;
  /** "none" (default) leaves <think> in the content; "deepseek" or "auto" moves it to `reasoning_content`. With "deepseek" a
   * model may also reason before an answer of a wanted form, where its template does not tell that it does (crumb). */
  readonly reasoning_format?: "none" | "deepseek" | "auto" | null;
  /** A budget by name: none 0, minimal 128, low 512, medium 2,048, high 8,192 tokens; the others are no bound. */
  readonly reasoning_effort?: ReasoningEffort | null;
  /** Other names of `reasoning_budget` and `reasoning_effort`; of all four one may be given. */
  readonly reasoning?: { readonly max_tokens?: number | null; readonly effort?: ReasoningEffort | null } | null;
  /** Functions that the model may call: at most 128. */
  readonly tools?: readonly ToolParam[] | null;
  /** Default "auto". "required" and a function's name force a call by a grammar. */
  readonly tool_choice?: "none" | "auto" | "required" | ToolChoice | null;
  /** More than one call in an answer (default true). */
  readonly parallel_tool_calls?: boolean | null;
  /** Variables for the chat template, such as `enable_thinking`; only names that it reads. */
  readonly chat_template_kwargs?: Readonly<Record<string, string | number | boolean>> | null;
}

/** vLLM's: for each token of the prompt but the first, by token id. */
export type PromptLogprobs = readonly (Readonly<
  Record<string, { readonly logprob: number; readonly decoded_token: string }>
> | null)[];

export interface CompletionRequest extends SamplingFields {
  /** Text, or token ids as they are. */
  readonly prompt: string | readonly number[];
  /** 0 to 20 alternatives for each token. */
  readonly logprobs?: number | null;
  /** The prompt before the answer, with its log-probabilities if they are asked for; `max_tokens` may be 0 then. */
  readonly echo?: boolean | null;
}

/** "tool_calls": the answer ended after calls. */
export type FinishReason = "stop" | "length" | "tool_calls";

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

export interface ChatLogprob {
  readonly id: number;
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

export interface ChatTokenLogprob extends ChatLogprob {
  readonly top_logprobs: readonly ChatLogprob[];
}

export interface ChatLogprobs {
  readonly content: readonly ChatTokenLogprob[];
  readonly refusal: null;
}

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

export interface CompletionLogprobs {
  readonly tokens: readonly string[];
  /** null: the first token of an echoed prompt. */
  readonly token_logprobs: readonly (number | null)[];
  /** Token text to log-probability. */
  readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[];
  /** UTF-16 units of text before each token. */
  readonly text_offset: readonly number[];
}

/** A completion, or a chunk of one: OpenAI has one shape for both. */
export interface Completion {
  readonly id: string;
  readonly object: "text_completion";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly text: string;
    readonly logprobs: CompletionLogprobs | null;
    readonly prompt_logprobs?: PromptLogprobs;
    /** null in chunks before the last. */
    readonly finish_reason: FinishReason | null;
    /** The stop string that came, where one ended the answer. */
    readonly stop_reason?: string;
  }[];
  readonly usage?: Usage | null;
  readonly timings?: Timings;
}

export interface EmbeddingRequest {
  /** A text or its token ids, or at most 2,048 of either. */
  readonly input: string | readonly number[] | readonly (string | readonly number[])[];
  /** Any name; one model answers. */
  readonly model?: string | null;
  /** "base64": little-endian f32. Default "float". */
  readonly encoding_format?: "float" | "base64" | null;
  /** The model's own width only. */
  readonly dimensions?: number | null;
  /** Accepted and not used. */
  readonly user?: string | null;
  /** Not OpenAI's; see `EmbedOptions`. */
  readonly pooling?: "mean" | "last" | null;
  /** Not OpenAI's; see `EmbedOptions`. */
  readonly normalize?: boolean | null;
  /** Not OpenAI's; see `EmbedOptions`. */
  readonly lora?: readonly LoraChoice[] | null;
}

export interface EmbeddingResponse {
  readonly object: "list";
  readonly data: readonly {
    readonly object: "embedding";
    readonly index: number;
    /** Numbers, or base64 where the request asks for it. */
    readonly embedding: readonly number[] | string;
  }[];
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}
