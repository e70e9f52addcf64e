/** Models on a scripted executor, for tests of the engine, and calls of them. */
import type { ModelParts } from "../../src/engine/core.ts";
import { createModel, type Model } from "../../src/engine/model.ts";
import type { ChatCompletionRequest } from "../../src/engine/openai/chat-types.ts";
import { FakeExecutor, type FakeOptions, isIdle } from "../helpers/fake-executor.ts";
import { FakeTokenizer, IM_END } from "../helpers/fake-tokenizer.ts";

export const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% if thinking %}<think>{% endif %}{% endif %}";
export const messages = [{ role: "user", content: "Hi" }];
export const tokenizer = new FakeTokenizer();

/** A model that answers with this text (and then its end token), whatever the prompt. */
export function answering(text: string, options: FakeOptions & Partial<ModelParts> = {}) {
  const script = [...tokenizer.encode(text, { addBos: false }), IM_END];
  let promptLength: number | undefined;
  const executor = new FakeExecutor({
    ...options,
    next: (tokens) => {
      promptLength ??= tokens.length;
      if (tokens.length < promptLength) promptLength = tokens.length;
      return script[tokens.length - promptLength];
    },
  });
  const pages = executor.freePages;
  const model = create(executor, options);
  return { model, executor, script, idle: () => isIdle(model, executor, pages) };
}
export function create(executor: FakeExecutor, parts: Partial<ModelParts> = {}): Model {
  return createModel({
    name: "fake",
    architecture: "test",
    tokenizer,
    executor,
    templates: new Map([["default", TEMPLATE]]),
    ...parts,
  });
}
export function hashed(options: FakeOptions = {}) {
  const executor = new FakeExecutor(options);
  const pages = executor.freePages;
  const model = create(executor);
  return { executor, model, idle: () => isIdle(model, executor, pages) };
}
export async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}
export const chat = (model: Model, fields: Partial<ChatCompletionRequest> = {}) =>
  model.chat.completions.create({ messages, temperature: 0, ...fields, stream: false });
export const chatStream = (model: Model, fields: Partial<ChatCompletionRequest> = {}) =>
  model.chat.completions.create({ messages, temperature: 0, ...fields, stream: true });

/** Settings of `generate` without chance. */
export const greedy = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repeatPenalty: 1,
  repeatLastN: 64,
  presencePenalty: 0,
  frequencyPenalty: 0,
  logitBias: new Map<number, number>(),
  seed: 0,
};
