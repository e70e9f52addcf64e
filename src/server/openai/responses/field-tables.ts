/**
 * The fields of /v1/responses: which are honoured, which change nothing here, and which are refused because they would
 * change the answer.
 * @module
 */
import type { FieldTable, UnsupportedField } from "../../../base/field-table.ts";
import { SAMPLING_FIELDS } from "../../../engine/request/field-tables.ts";

const off = (instead: string): UnsupportedField => ({ instead, neutral: (value) => value === false });

export const RESPONSES_FIELDS: FieldTable = {
  known: [
    ...["model", "input", "instructions", "previous_response_id", "store", "max_output_tokens"],
    ...SAMPLING_FIELDS, // OpenAI has two of them here; llama-server and vLLM have the others, too.
    ...["stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning", "truncation"],
    ...["include", "top_logprobs", "metadata", "user"],
    ...["timings_per_token", "return_progress"], // llama-server has them here, too.
  ],
  unused: [
    ...["service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "client_metadata"],
    ...["max_tool_calls", "context_management", "stream_id", "client_request_id"],
    ...["prompt_cache_options", "background_options", "access_programs"],
  ],
  unsupported: {
    background: off("ask for a stream, and read it as long as it takes"),
    conversation: { instead: "send the whole conversation in `input`" },
    moderation: { instead: "moderate the texts yourself" },
    prompt: { instead: "send the text of the prompt in `instructions` and `input`" },
  },
};

export const STREAM_OPTIONS: FieldTable = { known: [], unused: ["include_obfuscation", "include_usage"] };

/** The fields that every item may have besides its own. */
const ITEM_NOTES = ["id", "status", "phase", "caller", "created_by", "internal_chat_message_metadata_passthrough"];

export const MESSAGE_FIELDS: FieldTable = { known: ["type", "role", "content"], unused: ITEM_NOTES };
export const CALL_FIELDS: FieldTable = {
  known: ["type", "call_id", "name", "arguments", "namespace"],
  unused: [...ITEM_NOTES, "parsed_arguments"],
};
export const CUSTOM_CALL_FIELDS: FieldTable = {
  known: ["type", "call_id", "name", "input", "namespace"],
  unused: ITEM_NOTES,
};
export const OUTPUT_FIELDS: FieldTable = {
  known: ["type", "call_id", "output"],
  unused: [...ITEM_NOTES, "name", "success"],
};
export const REASONING_ITEM_FIELDS: FieldTable = {
  known: ["type", "content", "encrypted_content"],
  unused: [...ITEM_NOTES, "summary"],
};
export const PART_FIELDS: FieldTable = {
  known: ["type", "text"],
  unused: ["annotations", "logprobs", "cache_control", "prompt_cache_breakpoint"],
};
export const REFUSAL_FIELDS: FieldTable = { known: ["type", "refusal"] };

export const FUNCTION_FIELDS: FieldTable = {
  known: ["type", "name", "description", "parameters", "strict"],
  unused: ["defer_loading", "output_schema", "cache_control", "allowed_callers"],
};
export const CUSTOM_TOOL_FIELDS: FieldTable = {
  known: ["type", "name", "description", "format"],
  unused: ["defer_loading", "cache_control", "allowed_callers"],
};
export const CUSTOM_FORMAT_FIELDS: FieldTable = { known: ["type", "syntax", "definition"] };
export const TOOL_CHOICE_FIELDS: FieldTable = { known: ["type", "name", "mode", "tools"] };

export const TEXT_FIELDS: FieldTable = { known: ["format"], unused: ["verbosity"] };
export const FORMAT_FIELDS: FieldTable = { known: ["type", "name", "description", "schema", "strict"] };
export const REASONING_FIELDS: FieldTable = {
  known: ["effort"],
  unused: ["summary", "generate_summary", "context", "encrypted_content"],
};
