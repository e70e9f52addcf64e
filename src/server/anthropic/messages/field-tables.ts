/**
 * The fields of /v1/messages: which are honoured, which change nothing here, and which are refused because they would
 * change the answer.
 * @module
 */
import type { FieldTable, UnsupportedField } from "../../../base/field-table.ts";

const isEmpty = (value: unknown): boolean =>
  value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
const empty = (instead: string): UnsupportedField => ({ instead, neutral: isEmpty });

export const MESSAGES_FIELDS: FieldTable = {
  known: [
    ...["model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "output_format"],
    ...["max_tokens", "stop_sequences", "stream", "temperature", "top_p", "top_k", "thread"],
  ],
  unused: [
    ...["metadata", "service_tier", "cache_control", "context_management", "betas", "inference_geo"],
    ...["speed", "diagnostics", "fallbacks", "user_profile_id", "anthropic_version", "anthropic_beta"],
    ...["billing_policy", "fallback_credit_token", "workspace_id"],
  ],
  unsupported: {
    mcp_servers: empty("connect to the servers yourself and send their tools in `tools`"),
    container: { instead: "run code yourself and send its output as a tool_result" },
    compaction: { instead: "ask for a summary in a message" },
  },
};

export const THREAD_FIELDS: FieldTable = { known: ["type", "previous_message_id"] };

export const MESSAGE_FIELDS: FieldTable = {
  known: ["role", "content"],
  unused: [
    "id",
    "type",
    "model",
    "stop_reason",
    "stop_sequence",
    "usage",
    "cache_control",
    "clear_at",
    "output_config",
  ],
};

/** The blocks that a message's content consists of. */
export const TEXT_FIELDS: FieldTable = { known: ["type", "text"], unused: ["citations", "cache_control", "id"] };
export const THINKING_BLOCK_FIELDS: FieldTable = {
  known: ["type", "thinking"],
  unused: ["signature", "cache_control"],
};
export const TOOL_USE_FIELDS: FieldTable = {
  known: ["type", "id", "name", "input"],
  unused: ["caller", "cache_control"],
};
export const TOOL_RESULT_FIELDS: FieldTable = {
  known: ["type", "tool_use_id", "content"],
  unused: ["is_error", "cache_control"],
};
export const DOCUMENT_FIELDS: FieldTable = {
  known: ["type", "source", "title", "context"],
  unused: ["citations", "cache_control"],
};
export const SEARCH_RESULT_FIELDS: FieldTable = {
  known: ["type", "source", "title", "content"],
  unused: ["citations", "cache_control"],
};

export const TOOL_FIELDS: FieldTable = {
  known: ["type", "name", "description", "input_schema", "strict"],
  unused: ["cache_control", "eager_input_streaming", "defer_loading", "allowed_callers", "input_examples"],
};
export const TOOL_CHOICE_FIELDS: FieldTable = { known: ["type", "name", "disable_parallel_tool_use"] };
export const THINKING_FIELDS: FieldTable = { known: ["type", "budget_tokens", "display"] };
export const OUTPUT_CONFIG_FIELDS: FieldTable = { known: ["effort", "format"], unused: ["task_budget"] };
export const OUTPUT_FORMAT_FIELDS: FieldTable = { known: ["type", "schema"], unused: ["name"] };
