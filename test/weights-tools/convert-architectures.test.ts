/** Newer architectures through the converter: the new file has the same logits, and notes say what llama.cpp would not do. */
import { describe, expect, it } from "vitest";
import { executorOf, NEWER_FIXTURES } from "../helpers/models.ts";
import { converted, fixtureFolder } from "./helpers.ts";

const NOTES: Record<string, RegExp> = {
  "mistral-window": /sliding window of 12 tokens/,
  "mobilellm-ls": /does not have the architecture mobilellm/,
};

describe.each(NEWER_FIXTURES)("%s", (name) => {
  it.each(["config.json", "config.legacy.json"])("%s: notes, and what a GGUF cannot hold of it", async (config) => {
    const { report, checkpoint } = await converted(await fixtureFolder(name, config), { type: "f32" });
    expect(report.notes.length).toBe(name in NOTES ? 1 : 0);
    expect(report.notes.join()).toMatch(NOTES[name] ?? /^$/);
    expect(report.architecture).toBe(checkpoint.architecture);
  });

  it("the file has the logits of the folder, up to the order of q and k", async () => {
    const tokens = Array.from({ length: 40 }, (_, i) => (i * 37 + 11) % 256);
    const logits = [];
    for (const checkpoint of [
      await fixtureFolder(name),
      (await converted(await fixtureFolder(name), { type: "f32" })).checkpoint,
    ]) {
      const executor = await executorOf(checkpoint, { kvType: "f32", contextLength: 64 });
      const sequence = executor.createSequence();
      logits.push(executor.forward([{ sequence, tokens, logits: "last" }])[0]!);
      executor.dispose();
    }
    const [before, after] = logits;
    expect(Math.max(...before!.map((logit, v) => Math.abs(logit - after![v]!)))).toBeLessThan(3e-5);
  });
});
