/**
 * The tokens that have a special role, and which of them are added to a text.
 * @module
 */
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { HuggingFaceFiles } from "../../src/formats/checkpoint.ts";
import type { AddedToken } from "../../src/tokenizer/added-tokens.ts";
import { bad, field, list } from "./json-fields.ts";

/**
 * The keys `tokenizer.ggml.*_token_id`. tokenizer_config.json names tokens by their text, config.json by their id.
 * @throws NibbleError `bad_tokenizer`
 */
export function specialIds(
  files: HuggingFaceFiles,
  added: readonly AddedToken[],
  vocabSize: number,
): [string, number][] {
  const byContent = new Map(added.map(({ content, id }) => [content as Json, id]));
  const ids: [string, number][] = [];
  for (const [kind, key] of specialKinds) {
    const entry = files.tokenizerConfig?.get(`${kind}_token`);
    const named =
      field(entry, "content") ?? entry ?? (kind === "unk" ? field(files.tokenizer?.get("model"), "unk_token") : null);
    const id = byContent.get(named ?? null) ?? firstId(files.config.get(`${kind}_token_id`));
    if (id !== undefined) ids.push([key, id]);
  }
  // There is no setting for the ends of a turn and of a message; llama.cpp knows them by these texts.
  for (const [key, content] of [
    ["eot", "<|eot_id|>"],
    ["eom", "<|eom_id|>"],
  ] as const) {
    const id = byContent.get(content);
    if (id !== undefined) ids.push([key, id]);
  }
  for (const [key, id] of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize)
      throw bad(`${key} token: expected an id of the vocabulary, got ${id}`);
  }
  return ids.map(([key, id]) => [`tokenizer.ggml.${key}_token_id`, id]);
}

/** An id of config.json: a number, or the first of a list. -1 stands for none. */
function firstId(ids: Json | undefined): number | undefined {
  const id = Array.isArray(ids) ? ids[0] : ids;
  return typeof id === "number" && id !== -1 ? id : undefined;
}

/** The names in Hugging Face's files and in GGUF's keys. ("seperator" is GGUF's spelling.) */
const specialKinds: readonly (readonly [string, string])[] = [
  ["bos", "bos"],
  ["eos", "eos"],
  ["unk", "unknown"],
  ["sep", "seperator"],
  ["pad", "padding"],
  ["mask", "mask"],
];

/** Whether BOS and EOS are added to raw text: by an explicit setting, else as the post-processor's template does it. */
export function addsTokens(tokenizer: JsonObject, config: JsonObject | undefined): { bos?: boolean; eos?: boolean } {
  const adds: { bos?: boolean; eos?: boolean } = {};
  const root = tokenizer.get("post_processor");
  const processors = field(root, "processors");
  for (const processor of processors === undefined ? [root ?? null] : list(processors)) {
    const type = field(processor, "type");
    if (type === "BertProcessing" || type === "RobertaProcessing") adds.bos = adds.eos = true;
    if (type !== "TemplateProcessing") continue;
    const single = list(field(processor, "single"));
    if (single.length < 2) continue;
    if (field(single[0], "SpecialToken") !== undefined) adds.bos = true;
    if (field(single.at(-1), "SpecialToken") !== undefined) adds.eos = true;
  }
  for (const kind of ["bos", "eos"] as const) {
    const setting = config?.get(`add_${kind}_token`);
    if (typeof setting === "boolean") adds[kind] = setting;
  }
  return adds;
}
