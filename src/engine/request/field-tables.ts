/**
 * The fields of OpenAI's requests, with those that llama-server, vLLM and their clients add: which are honoured, which
 * change nothing here, and which are refused because they would change the answer. The documentation is made of these
 * tables (`scripts/api-fields.ts`).
 * @module
 */
import type { FieldTable, UnsupportedField } from "../../base/field-table.ts";
import { SAMPLING_DEFAULTS } from "../sample/defaults.ts";
import { requestName } from "./sampling-fields.ts";

const isEmpty = (value: unknown): boolean =>
  value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
const off = (instead: string): UnsupportedField => ({ instead, neutral: (value) => value === false });
const on = (instead: string): UnsupportedField => ({ instead, neutral: (value) => value === true });
const empty = (instead: string): UnsupportedField => ({ instead, neutral: isEmpty });
const unless = (neutral: (value: unknown) => boolean, instead: string): UnsupportedField => ({ instead, neutral });

/** One table with the fields of several. */
function joined(...tables: readonly FieldTable[]): FieldTable {
  return {
    known: tables.flatMap(({ known }) => known),
    unused: tables.flatMap(({ unused = [] }) => unused),
    unsupported: Object.assign({}, ...tables.map(({ unsupported }) => unsupported)),
  };
}

/** Fields that say how an answer looks: OpenAI's, llama-server's and vLLM's. */
const STRUCTURE: FieldTable = {
  known: [
    ...["response_format", "grammar", "json_schema", "structured_outputs"],
    ...["guided_json", "guided_regex", "guided_choice", "guided_grammar"],
  ],
  unused: ["guided_decoding_backend"],
  unsupported: {
    guided_whitespace_pattern: { instead: "write the white space into a grammar" },
    grammar_lazy: off("send tools, whose calls are held to their schemas"),
    grammar_triggers: empty("send tools, whose calls are held to their schemas"),
    preserved_tokens: empty("send tools, whose tags are read anyway"),
  },
};

/** llama-server's fields, beyond those of sampling. */
const LLAMA_SERVER: FieldTable = {
  known: [
    "n_predict",
    "n_probs",
    "post_sampling_probs",
    "n_keep",
    "context_shift",
    ...["speculative.n_max", "speculative.n_min", "speculative.p_min"],
    "lora",
    "return_progress",
    "timings_per_token",
  ],
  unused: [
    ...["cache_prompt", "id_slot", "n_cache_reuse", "sse_ping_interval", "t_max_prompt_ms"],
    ...["backend_sampling", "adaptive_decay", "penalize_nl", "return_tokens"],
  ],
  unsupported: {
    n_discard: unless((value) => value === 0, "leave it out: half of the context is discarded"),
    n_indent: unless((value) => value === 0, "use a grammar that asks for the indentation"),
    t_max_predict_ms: unless((value) => typeof value === "number" && value <= 0, "set max_tokens"),
    adaptive_target: unless((value) => typeof value === "number" && value < 0, "use mirostat"),
    tfs_z: unless((value) => value === 1, "use min_p or top_n_sigma"),
    response_fields: empty("read the fields that you need"),
    image_data: empty("describe the image in words: the models here read text only"),
  },
};

/** vLLM's fields, beyond those of sampling. */
const VLLM: FieldTable = {
  known: [
    ...["prompt_logprobs", "include_stop_str_in_output", "skip_special_tokens"],
    ...["return_token_ids", "return_tokens_as_token_ids", "cache_salt"],
  ],
  unused: [
    ...["priority", "request_id", "kv_transfer_params", "mm_processor_kwargs", "bootstrap_host"],
    ...["spaces_between_special_tokens", "bootstrap_port", "bootstrap_room", "data_parallel_rank"],
  ],
  unsupported: {
    use_beam_search: off("sample n answers instead"),
    length_penalty: unless((value) => value === 1, "it belongs to beam search: leave it out"),
    early_stopping: off("it belongs to beam search: leave it out"),
    truncate_prompt_tokens: unless((value) => value === -1, "send a shorter prompt"),
    logits_processors: empty("use logit_bias"),
    repetition_detection: empty("use repeat_penalty, or DRY's fields"),
    prompt_embeds: empty("send the prompt as text or token ids"),
    detokenize: on("leave the text aside, and read the ids with return_token_ids"),
    vllm_xargs: empty("leave it out"),
  },
};

/** Fields that say which tokens are drawn and where an answer ends. */
export const SAMPLING_FIELDS: readonly string[] = [
  ...["stop", "seed", "logit_bias"],
  ...Object.keys(SAMPLING_DEFAULTS).map(requestName),
  ...["allowed_token_ids", "banned_token_ids", "repetition_penalty", "stop_token_ids", "ignore_eos"],
];

/** The fields that requests for chats and for text completions share. */
const COMMON: FieldTable = joined(STRUCTURE, LLAMA_SERVER, VLLM, {
  known: [
    ...["model", "stream", "stream_options", "n", "max_tokens", "logprobs"],
    ...SAMPLING_FIELDS,
    ...["reasoning_budget", "thinking_token_budget", "thinking_budget_tokens", "signal"],
  ],
  unused: ["user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"],
});

export const CHAT_FIELDS: FieldTable = joined(COMMON, {
  known: [
    ...["messages", "max_completion_tokens", "top_logprobs", "tools", "tool_choice", "parallel_tool_calls"],
    ...["functions", "function_call"],
    ...[
      "reasoning",
      "reasoning_effort",
      "reasoning_format",
      "thinking",
      "enable_thinking",
      "chat_template_kwargs",
      "documents",
    ],
    ...["add_generation_prompt", "continue_final_message"],
  ],
  unused: [
    ...["verbosity", "prediction", "prompt_cache_retention", "prompt_cache_options"],
    ...["thinking_forced_open", "chat_format"],
  ],
  unsupported: {
    audio: { instead: "ask for text" },
    modalities: unless((value) => Array.isArray(value) && value.every((one) => one === "text"), "ask for text only"),
    moderation: { instead: "moderate the texts yourself" },
    web_search_options: { instead: "offer a function in tools that searches, and send its result in a message" },
    best_of: unless((value) => value === 1, "send n"),
    suffix: empty("send it to /v1/completions, or write what follows into the prompt"),
    echo: off("the client has the messages already"),
    chat_template: empty("load the model with the template that you want"),
    add_special_tokens: off("send /v1/completions the prompt that you want"),
    include_reasoning: on("leave reasoning_content aside"),
    parse_tool_calls: on("send no tools, and calls stay text"),
    reasoning_in_content: off('send reasoning_format: "none"'),
  },
});

export const COMPLETION_FIELDS: FieldTable = joined(COMMON, {
  known: ["prompt", "suffix", "echo", "add_special_tokens", "best_of"],
});

export const STREAM_OPTIONS: FieldTable = {
  known: ["include_usage", "continuous_usage_stats"],
  unused: ["include_obfuscation"],
};

export const MESSAGE_FIELDS: FieldTable = {
  known: [
    ...["role", "content", "name", "reasoning_content", "reasoning", "tool_calls", "tool_call_id", "refusal"],
    "function_call",
  ],
  unused: [
    ...["id", "type", "status", "phase", "annotations", "cache_control", "reasoning_details", "thinking_blocks"],
    ...["provider_specific_fields", "metadata", "prefix", "weight", "is_error"],
  ],
  unsupported: {
    audio: empty("send its transcript as content"),
    images: empty("describe them in words: the models here read text only"),
  },
};

/** Parts of a message's content, beside their `type`. */
export const TEXT_PART_FIELDS: FieldTable = {
  known: ["type", "text"],
  unused: ["cache_control", "prompt_cache_breakpoint", "annotations", "logprobs", "id", "citations"],
};
export const REFUSAL_PART_FIELDS: FieldTable = { known: ["type", "refusal"], unused: ["cache_control", "id"] };

export const FUNCTION_FIELDS: FieldTable = {
  known: ["name", "description", "parameters", "strict"],
  unused: ["cache_control", "returns", "return", "response", "examples"],
};
export const TOOL_FIELDS: FieldTable = {
  // The fields of a function may stand in the tool itself.
  known: ["type", "function", ...FUNCTION_FIELDS.known],
  unused: ["cache_control", "id", "defer_loading", "allowed_callers", "input_examples", "metadata"],
};

export const TOOL_CALL_FIELDS: FieldTable = {
  known: ["id", "type", "function"],
  unused: ["index", "cache_control", "extra_content", "provider_specific_fields"],
};
export const CALLED_FUNCTION_FIELDS: FieldTable = {
  known: ["name", "arguments"],
  unused: ["description", "parsed_arguments", "thought_signature", "provider_specific_fields"],
};

export const TOOL_CHOICE_FIELDS: FieldTable = {
  known: ["type", "function", "allowed_tools"],
  unused: ["disable_parallel_tool_use"],
};
export const ALLOWED_TOOLS_FIELDS: FieldTable = { known: ["mode", "tools"] };
/** `{ type: "function", function: { name } }`, in `tool_choice` and in the tools that it allows. */
export const NAMED_TOOL_FIELDS: FieldTable = { known: ["type", "function"] };
export const NAMED_FUNCTION_FIELDS: FieldTable = {
  known: ["name"],
  unused: ["description", "parameters", "strict"],
};

export const RESPONSE_FORMAT_FIELDS: FieldTable = { known: ["type", "json_schema", "schema"], unused: ["name"] };
export const JSON_SCHEMA_FIELDS: FieldTable = { known: ["name", "description", "schema", "strict"] };
export const STRUCTURED_OUTPUTS_FIELDS: FieldTable = {
  known: ["json", "json_object", "regex", "choice", "grammar"],
  unused: ["backend", "backend_was_auto", "disable_fallback", "_backend", "_backend_was_auto"],
  unsupported: {
    structural_tag: empty("send tools"),
    whitespace_pattern: empty("write the white space into a grammar"),
    disable_any_whitespace: off("write the white space into a grammar"),
    disable_additional_properties: off("write additionalProperties: false into the schema"),
  },
};

export const REASONING_FIELDS: FieldTable = {
  known: ["max_tokens", "effort", "enabled"],
  unused: ["summary", "generate_summary"],
  unsupported: { exclude: off("leave reasoning_content aside") },
};
/** Anthropic's field, which other chat APIs have too. */
export const THINKING_FIELDS: FieldTable = {
  known: ["type", "budget_tokens"],
  unused: ["display", "clear_thinking", "keep"],
};

export const EMBEDDING_FIELDS: FieldTable = {
  known: [
    ...["input", "model", "encoding_format", "dimensions", "pooling", "normalize", "lora", "signal"],
    ...["prompt_name", "prompt", "truncate", "cache_salt"],
  ],
  unused: ["user", "metadata", "priority", "request_id", "additional_data", "input_type"],
  unsupported: {
    add_special_tokens: on("send token ids"),
    truncate_prompt_tokens: unless((value) => value === -1, "send shorter texts, or truncate: true"),
    messages: empty("send their text as input"),
    embd_normalize: unless((value) => value === 2, "send normalize: false"),
  },
};
