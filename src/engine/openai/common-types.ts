/**
 * The fields that requests for chats and completions share: OpenAI's, and those of llama-server and vLLM that OpenAI
 * does not have.
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
  /** Any name, since one model answers. */
  readonly model?: string | null;
  /** Temperature; 0 is greedy. OpenAI's API takes at most 2, llama-server and vLLM more, and so does this. Default: the checkpoint's, else 0.8. */
  readonly temperature?: number | null;
  /** Nucleus sampling: a probability above 0, up to 1. Default: the checkpoint's, else 0.95. */
  readonly top_p?: number | null;
  /** The number of most likely tokens that are kept; 0 and -1 keep all. Default: the checkpoint's, else 40. */
  readonly top_k?: number | null;
  /** Least probability of a token, as a fraction of the highest, 0 to 1. Default: the checkpoint's, else 0.05. */
  readonly min_p?: number | null;
  /** Penalty on tokens of the recent text, 0.01 to 10; 1 is none. */
  readonly repeat_penalty?: number | null;
  /** vLLM's name of `repeat_penalty`. It looks back on all of the text, whatever `repeat_last_n` is. */
  readonly repetition_penalty?: number | null;
  /** Tokens that penalties look back on, prompt included; 0 for none, -1 for all. Default: 64. */
  readonly repeat_last_n?: number | null;
  /** Number that is subtracted from the logit of every recent token. */
  readonly presence_penalty?: number | null;
  /** Number that is subtracted from a recent token's logit once per occurrence. */
  readonly frequency_penalty?: number | null;
  /**
   * llama.cpp's sampling steps in the order in which they run. Default: all but "infill" in llama.cpp's order. A step
   * whose setting is neutral does nothing.
   */
  readonly samplers?: readonly SamplerName[] | string | null;
  /** How far the temperature moves below and above `temperature` with the entropy; 0 is off. */
  readonly dynatemp_range?: number | null;
  /** Exponent of the normalised entropy in the dynamic temperature. */
  readonly dynatemp_exponent?: number | null;
  /** Locally typical sampling; 1 is off. */
  readonly typical_p?: number | null;
  /** Keeps logits within this many standard deviations of the highest; -1 is off. */
  readonly top_n_sigma?: number | null;
  /** Probability with which XTC removes all top choices but the least likely one. */
  readonly xtc_probability?: number | null;
  /** Least probability of a top choice; above 0.5 XTC is off. */
  readonly xtc_threshold?: number | null;
  /** The fewest tokens that top-p, typical-p, min-p and XTC keep. */
  readonly min_keep?: number | null;
  /**
   * Strength of DRY, which subtracts multiplier * base^(length - allowed_length) from the logit of a token that would
   * continue a repetition of that length; 0 is off.
   */
  readonly dry_multiplier?: number | null;
  /** Base of DRY's penalty. */
  readonly dry_base?: number | null;
  /** The longest repetition without a penalty by DRY, in tokens. */
  readonly dry_allowed_length?: number | null;
  /** Tokens that DRY looks back on; 0 for none, -1 (default) for all. */
  readonly dry_penalty_last_n?: number | null;
  /** Texts at which repetitions end for DRY: at most 16, of at most 40 characters. */
  readonly dry_sequence_breakers?: readonly string[] | null;
  /** Mirostat's version, 1 or 2, which replaces all steps but the temperature; 0 is off. */
  readonly mirostat?: number | null;
  /** Mirostat's target surprise, in bits per token. */
  readonly mirostat_tau?: number | null;
  /** Mirostat's learning rate. */
  readonly mirostat_eta?: number | null;
  /** Number of tokens before which the answer cannot end. */
  readonly min_tokens?: number | null;
  /** Words that the answer must not contain: at most 128, of at most 256 characters. */
  readonly bad_words?: readonly string[] | null;
  /** The only tokens that the answer may contain. */
  readonly allowed_token_ids?: readonly number[] | null;
  /** Tokens that the answer must not contain, at most 1,024. */
  readonly banned_token_ids?: readonly number[] | null;
  /**
   * Numbers from -100 to 100 that are added to logits, by token id or by a text whose tokens are meant; false forbids a
   * token. At most 1,024. llama-server's list of pairs is accepted, too.
   */
  readonly logit_bias?: Readonly<Record<string, number | false>> | readonly (readonly unknown[])[] | null;
  /** The same seed and request give the same tokens on every host. The default, and -1, is a random seed. */
  readonly seed?: number | null;
  /** Number of answers to each prompt, 1 to 128. Each answer has its own random numbers. */
  readonly n?: number | null;
  /** Texts that end the answer: at most 16, of at most 256 characters. Empty texts are ignored. */
  readonly stop?: string | readonly string[] | null;
  /** Further tokens that end the answer. */
  readonly stop_token_ids?: readonly number[] | null;
  /** Whether the model's end tokens are forbidden. */
  readonly ignore_eos?: boolean | null;
  /** Most tokens of the answer, at most what the context holds. With 0 the prompt is only computed; -1 is no limit. */
  readonly max_tokens?: number | null;
  /** llama-server's name of `max_tokens`. */
  readonly n_predict?: number | null;
  /**
   * llama-server's field for log-probabilities: the number of alternatives that are returned with each token. It is used
   * where OpenAI's fields ask for none.
   */
  readonly n_probs?: number | null;
  /** Whether log-probabilities come with the probabilities after all sampling steps. */
  readonly post_sampling_probs?: boolean | null;
  /** llama-server's field. Whether each chunk of a stream has the timings so far. */
  readonly timings_per_token?: boolean | null;
  /** llama-server's field. Whether chunks before the answer report the progress of prefill in `prompt_progress`. */
  readonly return_progress?: boolean | null;
  /** llama-server's field. Most tokens that a step drafts (default 16; 0 for none). Drafts change only the speed. */
  readonly "speculative.n_max"?: number | null;
  /** llama-server's field. Fewest tokens of a draft; shorter ones are not used (default 0). */
  readonly "speculative.n_min"?: number | null;
  /** llama-server's field. The probability below which a guess of the draft model ends a draft (default 0.75). */
  readonly "speculative.p_min"?: number | null;
  /**
   * vLLM's field for log-probabilities of the prompt's tokens, with 0 to 20 alternatives. A stream has
   * them in one chunk, before the text.
   */
  readonly prompt_logprobs?: number | null;
  /**
   * If true, a full context loses half of its tokens, but not the first `n_keep` ones, and the answer goes on to
   * `max_tokens`, which is then required. With false (default) the answer ends there.
   */
  readonly context_shift?: boolean | null;
  /** Tokens at the prompt's start that a context shift keeps. */
  readonly n_keep?: number | null;
  /** Tokens of reasoning after which `</think>` is forced; 0 for no reasoning, -1 (default) for no limit. */
  readonly reasoning_budget?: number | null;
  /** vLLM's name of `reasoning_budget`. */
  readonly thinking_token_budget?: number | null;
  /** llama-server's other name of `reasoning_budget`. */
  readonly thinking_budget_tokens?: number | null;
  /** The adapters to apply; others are not applied. Default: each adapter with the scale that it was loaded with. */
  readonly lora?: readonly LoraChoice[] | null;
  /** Whether the answer is streamed in chunks. */
  readonly stream?: boolean | null;
  /**
   * With `include_usage`, the last chunk of a stream has the usage; with vLLM's `continuous_usage_stats` too, the chunk of
   * each token has the usage so far.
   */
  readonly stream_options?: {
    readonly include_usage?: boolean | null;
    readonly continuous_usage_stats?: boolean | null;
  } | null;
  /** vLLM's field: whether a stop string that ends the answer is part of its text (default false). */
  readonly include_stop_str_in_output?: boolean | null;
  /** vLLM's field: with false, special tokens other than the end token are part of the text (default true). */
  readonly skip_special_tokens?: boolean | null;
  /** vLLM's field: whether the ids of the prompt's and the answer's tokens are returned (default false). */
  readonly return_token_ids?: boolean | null;
  /** vLLM's field: whether log-probabilities name tokens by id, as `token_id:5` (default false). */
  readonly return_tokens_as_token_ids?: boolean | null;
  /** Accepted and not used. */
  readonly user?: string | null;
  /**
   * The format of the answer: JSON of a schema, any JSON object, or any text. Only one of `response_format`, `grammar`,
   * `json_schema`, `structured_outputs` and the `guided_*` fields may be given.
   */
  readonly response_format?: ResponseFormat | null;
  /** A grammar in GBNF, llama.cpp's notation. */
  readonly grammar?: string | null;
  /** llama-server's field for a JSON schema. */
  readonly json_schema?: object | boolean | null;
  /** vLLM's form of a constraint. */
  readonly structured_outputs?: StructuredOutputs | null;
  /** vLLM's older field for a JSON schema. */
  readonly guided_json?: object | boolean | string | null;
  /** vLLM's older field for a regular expression that matches the whole answer. */
  readonly guided_regex?: string | null;
  /** vLLM's older field for a list of possible answers. */
  readonly guided_choice?: readonly string[] | null;
  /** vLLM's older field for a grammar. */
  readonly guided_grammar?: string | null;
  /** Ends the call; its promise then rejects with the signal's reason. */
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
  readonly json?: object | boolean | string | null;
  readonly json_object?: boolean | null;
  /** Matches the whole answer. */
  readonly regex?: string | null;
  readonly choice?: readonly string[] | null;
  readonly grammar?: string | null;
}

/** The progress of prefill, which `return_progress` asks for. */
export interface PromptProgress {
  /** Tokens of the prompt. */
  readonly total: number;
  /** Tokens of the prompt that came from the KV cache. */
  readonly cache: number;
  /** Tokens of the prompt that have been processed, including cached ones. */
  readonly processed: number;
  /** Milliseconds since prefill began. */
  readonly time_ms: number;
}

/**
 * Why an answer ended: "tool_calls" after calls of tools ("function_call" where the request had `functions`), "length" at
 * `max_tokens` or the end of the context.
 */
export type FinishReason = "stop" | "length" | "tool_calls" | "function_call";

/** vLLM's log-probabilities of the prompt: an entry per token, keyed by token id, and null for the first token. */
export type PromptLogprobs = readonly (Readonly<
  Record<string, { readonly logprob: number; readonly decoded_token: string }>
> | null)[];
