/** crumb against transformers: the recorded conversations (models/crumb/reference.json), from text to text. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import { createLoad } from "../../src/load/create-load.ts";
import { root, testHost } from "../helpers/models.ts";

interface Case {
  question: string;
  prompt: string;
  prompt_ids: number[];
  tokens: number[];
  text: string;
  last_logits_top20: [id: number, logit: number][];
}

const { cases } = JSON.parse(readFileSync(join(root, "models/crumb/reference.json"), "utf8")) as { cases: Case[] };

describe("the F32 folder", () => {
  let model: Model;
  beforeAll(async () => {
    model = await createLoad(testHost)(join(root, "models/crumb"), { kvType: "f32" });
  });

  it.each(cases)("$question", async ({ question, prompt, prompt_ids, tokens, text, last_logits_top20 }) => {
    const messages = [{ role: "user", content: question }] as const;
    expect(model.applyTemplate(messages)).toBe(prompt);
    expect(model.tokenize(prompt)).toEqual(prompt_ids);

    const session = model.session();
    const logits = session.forward(prompt_ids);
    session.dispose();
    for (const [id, logit] of last_logits_top20) expect(Math.abs(logits[id]! - logit)).toBeLessThan(1e-4);

    const answer = await model.chat.completions.create({
      messages: [...messages],
      temperature: 0,
      reasoning_format: "none",
    });
    expect(`${answer.choices[0]!.message.content}<|eot_id|>`).toBe(text);
    expect(model.tokenize(text)).toEqual(tokens);
  });

  it("reasons before an answer of a wanted form, where the caller says that it does: its <think> is two tokens", async () => {
    const { choices } = await model.chat.completions.create({
      messages: [{ role: "user", content: "How much is 8 * 33?" }],
      temperature: 0,
      reasoning_format: "deepseek",
      guided_regex: "[0-9]{3}",
    });
    expect(model.tokenize("<think>").length).toBe(2);
    expect(choices[0]!.message.reasoning_content).toMatch(/=264\.$/);
    expect(choices[0]!.message.content).toMatch(/^[0-9]{3}$/);
  });
});
