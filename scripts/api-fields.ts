/**
 * Writes docs/api.md: what the server and the library do with every field of every API, from the tables that the code
 * itself reads. `node scripts/api-fields.ts`
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FieldTable } from "../src/base/field-table.ts";
import * as chat from "../src/engine/request/field-tables.ts";
import * as messages from "../src/server/anthropic/messages/field-tables.ts";
import { NATIVE_COMPLETION_FIELDS } from "../src/server/llama-server/completion/request.ts";
import { INFILL_EXTRA_FIELDS, INFILL_FIELDS } from "../src/server/llama-server/infill.ts";
import { RERANK_FIELDS } from "../src/server/llama-server/rerank.ts";
import { OLLAMA_CHAT_FIELDS } from "../src/server/ollama/chat.ts";
import { OLLAMA_GENERATE_FIELDS } from "../src/server/ollama/generate.ts";
import { OLLAMA_OPTIONS } from "../src/server/ollama/options.ts";
import * as responses from "../src/server/openai/responses/field-tables.ts";
import { SCORE_FIELDS } from "../src/server/vllm/score.ts";

type Objects = Readonly<Record<string, FieldTable>>;

/** For each API: its objects, the body first. */
const APIS: Readonly<Record<string, Objects>> = {
  "Chat completions (`/v1/chat/completions`, `model.chat.completions.create`)": {
    "the body": chat.CHAT_FIELDS,
    "`messages[]`": chat.MESSAGE_FIELDS,
    "parts of `content`": chat.TEXT_PART_FIELDS,
    "`tool_calls[]`": chat.TOOL_CALL_FIELDS,
    "`tool_calls[].function`": chat.CALLED_FUNCTION_FIELDS,
    "`tools[]`": chat.TOOL_FIELDS,
    "`tools[].function`": chat.FUNCTION_FIELDS,
    "`tool_choice`": chat.TOOL_CHOICE_FIELDS,
    "`response_format`": chat.RESPONSE_FORMAT_FIELDS,
    "`structured_outputs`": chat.STRUCTURED_OUTPUTS_FIELDS,
    "`stream_options`": chat.STREAM_OPTIONS,
    "`reasoning`": chat.REASONING_FIELDS,
    "`thinking`": chat.THINKING_FIELDS,
  },
  "Text completions (`/v1/completions`, `model.completions.create`)": { "the body": chat.COMPLETION_FIELDS },
  "Embeddings (`/v1/embeddings`, `model.embeddings.create`)": { "the body": chat.EMBEDDING_FIELDS },
  "Reranking (`/v1/rerank`, `/rerank`, `/v1/reranking`, `/reranking`, `/v2/rerank`)": { "the body": RERANK_FIELDS },
  "vLLM's scores (`/v1/score`, `/score`)": { "the body": SCORE_FIELDS },
  "OpenAI's responses (`/v1/responses`)": {
    "the body": responses.RESPONSES_FIELDS,
    "messages in `input`": responses.MESSAGE_FIELDS,
    "`tools[]`": responses.FUNCTION_FIELDS,
    "`tool_choice`": responses.TOOL_CHOICE_FIELDS,
    "`text`": responses.TEXT_FIELDS,
    "`reasoning`": responses.REASONING_FIELDS,
  },
  "Anthropic's messages (`/v1/messages`)": {
    "the body": messages.MESSAGES_FIELDS,
    "`messages[]`": messages.MESSAGE_FIELDS,
    "`tools[]`": messages.TOOL_FIELDS,
    "`tool_choice`": messages.TOOL_CHOICE_FIELDS,
    "`thinking`": messages.THINKING_FIELDS,
    "`output_config`": messages.OUTPUT_CONFIG_FIELDS,
  },
  "llama-server's completion (`/completion`)": { "the body": NATIVE_COMPLETION_FIELDS },
  "llama-server's infill (`/infill`)": { "the body": INFILL_FIELDS, "`input_extra[]`": INFILL_EXTRA_FIELDS },
  "Ollama's chat (`/api/chat`)": { "the body": OLLAMA_CHAT_FIELDS, "`options`": OLLAMA_OPTIONS },
  "Ollama's completion (`/api/generate`)": { "the body": OLLAMA_GENERATE_FIELDS, "`options`": OLLAMA_OPTIONS },
};

const INTRODUCTION = `# What each API covers

This file is made by \`scripts/api-fields.ts\` from the tables that the code reads. A field is

- **honoured**: it does what its API says;
- **accepted**: it changes nothing here, such as a hint, an identifier or a note, and any value passes;
- **refused**: it would change the answer, so the request gets status 400 with what to do instead, unless the value asks
  for nothing (\`null\`, an empty list, the default).

A field that is in none of the lists is unknown. The server ignores it, names it in the response header
\`x-nibble-ignored\` and once in its log, or refuses it with \`--strict\`. The library refuses it and tells the nearest
known name, unless the call's option \`onUnknownField\` takes the error.
`;

/** The whole document. */
export function apiDocument(): string {
  const sections = Object.entries(APIS).map(([name, objects]) => {
    const tables = Object.entries(objects).map(([object, table]) => objectLines(object, table));
    return `## ${name}\n\n${tables.join("\n\n")}\n`;
  });
  return [INTRODUCTION, ...sections].join("\n");
}

function objectLines(object: string, { known, unused = [], unsupported = {} }: FieldTable): string {
  const list = (names: readonly string[]): string => [...new Set(names)].map((name) => `\`${name}\``).join(", ");
  const refused = Object.entries(unsupported).map(([name, { instead }]) => `  - \`${name}\`: ${instead}`);
  return [
    `Fields of ${object}:`,
    "",
    ...(known.length > 0 ? [`- honoured: ${list(known)}`] : []),
    ...(unused.length > 0 ? [`- accepted: ${list(unused)}`] : []),
    ...(refused.length > 0 ? ["- refused:", ...refused] : []),
  ].join("\n");
}

const path = join(fileURLToPath(new URL("..", import.meta.url)), "docs/api.md");
if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(path, apiDocument());
