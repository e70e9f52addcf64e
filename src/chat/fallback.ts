/**
 * Turn formats for models without a chat template. The special tokens of a vocabulary tell which format it uses.
 * The formats are those of llama.cpp's built-in templates (src/llama-chat.cpp).
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Tokenizer } from "../tokenizer/types.ts";

interface TurnFormat {
  readonly name: string;
  /** Special tokens that a vocabulary must have. */
  readonly markers: readonly string[];
  readonly template: string;
}

const FORMATS: readonly TurnFormat[] = [
  {
    name: "chatml",
    markers: ["<|im_start|>", "<|im_end|>"],
    template:
      "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}" +
      "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
  },
  {
    name: "llama3",
    markers: ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    template:
      "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n" +
      "{{ message.content | trim }}<|eot_id|>{% endfor %}" +
      "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
  },
  {
    name: "gemma",
    markers: ["<start_of_turn>", "<end_of_turn>"],
    // The format has no system role, so the system message is put before the first user message.
    template:
      "{{ bos_token }}{% set ns = namespace(system='') %}{% for message in messages %}" +
      "{% if message.role == 'system' %}{% set ns.system = ns.system ~ (message.content | trim) ~ '\n\n' %}{% else %}" +
      "<start_of_turn>{{ 'model' if message.role == 'assistant' else message.role }}\n" +
      "{% if message.role != 'assistant' %}{{ ns.system }}{% set ns.system = '' %}{% endif %}" +
      "{{ message.content | trim }}<end_of_turn>\n{% endif %}{% endfor %}" +
      "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
  },
];

/** Jinja source of the turn formats by their names in llama.cpp, such as "chatml". */
export const NAMED_TEMPLATES: ReadonlyMap<string, string> = new Map(
  FORMATS.map(({ name, template }) => [name, template]),
);

/**
 * Jinja source of the turn format that fits the vocabulary.
 * @throws NibbleError `invalid_request` if none fits, because base models have no turns
 */
export function fallbackTemplate(tokenizer: Pick<Tokenizer, "idOf">): string {
  const format = FORMATS.find(({ markers }) => markers.every((marker) => tokenizer.idOf(marker) !== undefined));
  if (format) return format.template;
  throw new NibbleError(
    "invalid_request",
    "this model has no chat template and no known turn tokens; it is probably a base model: use completions instead",
    { param: "messages" },
  );
}
