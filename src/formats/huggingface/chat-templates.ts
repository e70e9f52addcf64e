/**
 * The chat templates of a folder: files, or a key of tokenizer_config.json. Files take precedence, as in transformers.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { isObject } from "../../base/json.ts";
import { decodeUtf8 } from "../../base/utf8.ts";
import type { TextFiles } from "./text-files.ts";

const FILE = "chat_template.jinja";
const FOLDER = "additional_chat_templates";
/** The names that models use, for sets of files that cannot be listed. */
const USUAL_NAMES: readonly string[] = ["tool_use.jinja", "rag.jinja"];
const MAX_TEMPLATES = 16;

/**
 * Jinja sources by name; "default" is the one of chat_template.jinja, or a single one of tokenizer_config.json.
 * @throws NibbleError `bad_type`, `limit_exceeded`, or `bad_string` for a file that is not UTF-8
 */
export async function readChatTemplates(
  text: TextFiles,
  tokenizerConfig: JsonObject | undefined,
  maxBytes: number,
): Promise<ReadonlyMap<string, string>> {
  const templates = new Map<string, string>();
  const names = (await text.list(FOLDER)) ?? USUAL_NAMES;
  const files = [[FILE, "default"], ...names.map((name) => [`${FOLDER}/${name}`, name.replace(/\.jinja$/, "")])];
  for (const [file, name] of files as [string, string][]) {
    const bytes = /^[\w-]+$/.test(name) ? await text.optional(file, maxBytes) : undefined;
    if (bytes) templates.set(name, decodeUtf8(bytes, file));
    checkNumber(templates.size);
  }
  return templates.size > 0 ? templates : fromConfig(tokenizerConfig);
}

/** `chat_template` is a string, or a list of { name, template }. */
function fromConfig(tokenizerConfig: JsonObject | undefined): ReadonlyMap<string, string> {
  const template = tokenizerConfig?.get("chat_template") ?? undefined;
  if (template === undefined) return new Map();
  if (typeof template === "string") return new Map([["default", template]]);
  if (!Array.isArray(template) || !template.every(isObject)) throw wrongType();
  checkNumber(template.length);
  return new Map(
    template.map((item) => {
      const [name, source] = [item.get("name"), item.get("template")];
      if (typeof name !== "string" || typeof source !== "string") throw wrongType();
      return [name, source];
    }),
  );
}

function checkNumber(templates: number): void {
  if (templates <= MAX_TEMPLATES) return;
  throw new NibbleError("limit_exceeded", `chat templates: expected at most ${MAX_TEMPLATES}, got ${templates}`);
}

function wrongType(): NibbleError {
  return new NibbleError(
    "bad_type",
    "tokenizer_config.json chat_template must be a string or a list of templates, each with a name",
  );
}
