/**
 * What requests for chats and completions share: OpenAI's names and shapes, and llama-server's and vLLM's names for
 * what OpenAI does not have.
 * @module
 */
import type { NibbleError } from "../../base/errors.ts";
import type { LoraChoice } from "../request/lora.ts";
import type { SamplerName } from "../sample/options.ts";

/** Options beside a request. */
export interface RequestOptions {
  /** Ends the call; its promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called with the error for each field that is not known, which is then ignored. Default: the error is thrown. */
  readonly onUnknownField?: (error: NibbleError) => void;
}

/** The fields that requests for chats and for completions share. */
export interface CommonFields {
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
  /**
   * Token ids, or texts whose tokens are meant, to -100 .. 100, added to their logits; false forbids a token. At most
   * 1,024. llama-server's pairs are taken too.
   */
  readonly logit_bias?: Readonly<Record<string, number | false>> | readonly (readonly unknown[])[] | null;
  /** The same seed and request give the same tokens on every host. Default, and -1: a random one. */
  readonly seed?: number | null;
  /** Answers to each prompt, 1 to 128; each has its own random numbers. */
  readonly n?: number | null;
  /** At most 16 strings of 256 characters; empty ones ask for nothing. */
  readonly stop?: string | readonly string[] | null;
  /** More tokens that end the answer. */
  readonly stop_token_ids?: readonly number[] | null;
  /** Never choose the model's end tokens. */
  readonly ignore_eos?: boolean | null;
  /** Cut to what the context holds; 0: the prompt is read only; -1: no bound. */
  readonly max_tokens?: number | null;
  /** llama-server's name of it. */
  readonly n_predict?: number | null;
  /** llama-server's: log-probabilities of each token and of so many alternatives, where OpenAI's fields ask for none. */
  readonly n_probs?: number | null;
  /** With log-probabilities: also the probabilities behind all sampling steps. */
  readonly post_sampling_probs?: boolean | null;
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

/** The form of an answer: text, any JSON object, or JSON of a schema. */
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

/** vLLM's form of a constraint on the answer. One of the fields may be given. */
export interface StructuredOutputs {
  readonly json?: object | boolean | null;
  readonly json_object?: boolean | null;
  /** Matches the whole answer. */
  readonly regex?: string | null;
  readonly choice?: readonly string[] | null;
  readonly grammar?: string | null;
}

/** "tool_calls": the answer ended after calls. */
export type FinishReason = "stop" | "length" | "tool_calls";

/** vLLM's: for each token of the prompt but the first, by token id. */
export type PromptLogprobs = readonly (Readonly<
  Record<string, { readonly logprob: number; readonly decoded_token: string }>
> | null)[];
