/** Tokenizers whose steps GGUF has no keys for: nibble keeps them, and the converter says so. */
import { describe, expect, it } from "vitest";
import { parseJsonObject } from "../../../src/base/json.ts";
import type { HuggingFaceFiles } from "../../../src/formats/checkpoint.ts";
import { createTokenizer, readTokenizer } from "../../../src/tokenizer/create.ts";
import { ggufTokenizer } from "../../../weights-tools/tokenizer/gguf-tokenizer.ts";
import { recorded } from "../../tokenizer/support.ts";

const filesOf = (tokenizer: string): HuggingFaceFiles => ({
  config: new Map(),
  tokenizer: parseJsonObject(tokenizer),
  tokenizerConfig: undefined,
  generationConfig: undefined,
  chatTemplates: new Map(),
});

describe("steps that GGUF cannot express", () => {
  const pipelines = recorded<{ tokenizer: object; cases: { s: string }[] }[]>("pipelines");

  it.each(pipelines.map((pipeline, i) => [i, pipeline] as const))(
    "tokenizer %i gives the same ids as before",
    (_, p) => {
      const text = JSON.stringify(p.tokenizer);
      const before = readTokenizer(text);
      const { metadata, notes } = ggufTokenizer(filesOf(text), before.vocabSize + 2);
      const after = createTokenizer({ metadata });
      expect(metadata.has("nibble.tokenizer.pipeline")).toBe(notes.length > 0);
      for (const { s } of p.cases) {
        const ids = before.encode(s, { addBos: false });
        expect(after.encode(s, { addBos: false }), s).toEqual(ids);
        expect(after.encode(s, { addBos: false, special: false }), s).toEqual(
          before.encode(s, { addBos: false, special: false }),
        );
        expect(after.decode(ids), s).toBe(before.decode(ids));
      }
    },
  );

  it("are named in notes", () => {
    const notes = pipelines.flatMap(({ tokenizer }) => {
      return ggufTokenizer(filesOf(JSON.stringify(tokenizer)), 400).notes;
    });
    for (const fact of [/take up white space/, /ignores merges/, /space in front/, /no GGUF name/])
      expect(notes.some((note) => fact.test(note) && note.includes("nibble.tokenizer.pipeline"))).toBe(true);
  });
});
