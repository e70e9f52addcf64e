/** BERT's tokenizer against Hugging Face's `tokenizers`: texts of every script, controls, marks and long words. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import { bertNormalize } from "../../src/tokenizer/bert.ts";
import { createTokenizer, readTokenizer } from "../../src/tokenizer/create.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { root, testHost } from "../helpers/models.ts";

const folder = join(root, "test/fixtures/embeddings");
const recorded: {
  items: { text: string; small: number[]; normalized: string }[];
} = JSON.parse(readFileSync(join(folder, "wordpiece.json"), "utf8"));

const whole = (tokenizer: Tokenizer, text: string): number[] => [...tokenizer.encode(text), ...tokenizer.around.after];
const file = (name: string): Uint8Array => readFileSync(join(folder, "bert", name));
const steps = { cleanText: true, spaceIdeographs: true, stripAccents: true, lowercase: true };

it.each(recorded.items)("normalises $text", ({ text, normalized }) => {
  expect(bertNormalize(text, steps)).toBe(normalized);
});

it("a tokenizer.json and a GGUF give the recorded ids", async () => {
  const checkpoint = await openCheckpoint(join(folder, "bert/model.gguf"), testHost);
  for (const tokenizer of [readTokenizer(file("tokenizer.json")), createTokenizer(checkpoint)])
    for (const { text, small } of recorded.items) expect([text, whole(tokenizer, text)]).toEqual([text, small]);
  await checkpoint.close();
});

it("decodes to words with spaces between them", () => {
  const tokenizer = readTokenizer(file("tokenizer.json"));
  expect(tokenizer.decode(tokenizer.encode("Hello world the cat", { addBos: false }))).toBe("hello world the cat");
});

it("older files have BertProcessing in place of a template", () => {
  const json = JSON.parse(file("tokenizer.json").toString());
  json.post_processor = { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] };
  const tokenizer = readTokenizer(JSON.stringify(json));
  expect(tokenizer.around).toEqual(readTokenizer(file("tokenizer.json")).around);
});

it.each([
  ["normalizer", { type: "Lowercase" }, /normalizer: expected one BertNormalizer, got "Lowercase"/],
  ["pre_tokenizer", { type: "Whitespace" }, /pre_tokenizer: expected one BertPreTokenizer, got "Whitespace"/],
  ["post_processor", { type: "Other" }, /post_processor: expected ByteLevel, TemplateProcessing or BertProcessing/],
])("another %s is refused by name", (key, value, message) => {
  const changed = { ...JSON.parse(file("tokenizer.json").toString()), [key]: value };
  expect(() => readTokenizer(JSON.stringify(changed))).toThrow(message);
});
