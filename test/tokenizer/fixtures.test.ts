import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readGgufHeader } from "../../src/formats/gguf/header.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { createTokenizer } from "../../src/tokenizer/create.ts";
import { huggingFace, root } from "./support.ts";

const folder = join(root, "test/fixtures/architectures");
const read = (name: string): Uint8Array => readFileSync(join(folder, name));

describe("the architectures' tokenizer", () => {
  const { cases } = JSON.parse(read("tokenizer/reference.json").toString()) as {
    cases: { text: string; ids: number[]; decoded: string }[];
  };

  it.each(["tokenizer.json", "llama", "mobilellm-r1"])("from %s", async (source) => {
    const tokenizer =
      source === "tokenizer.json"
        ? huggingFace(read("tokenizer/tokenizer.json"), read("tokenizer/tokenizer_config.json"))
        : createTokenizer(await readGgufHeader(bytesSource(read(`${source}/model.gguf`))));
    expect(cases).toHaveLength(9);
    for (const { text, ids, decoded } of cases) {
      expect(tokenizer.encode(text, { addBos: false })).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
    expect(tokenizer.bosId).toBe(316);
    expect([...tokenizer.endIds].sort()).toEqual([317, 318]);
  });
});

describe("crumb's tokenizer", () => {
  const crumb = join(root, "models/crumb");
  const tokenizer = huggingFace(
    readFileSync(join(crumb, "tokenizer.json")),
    readFileSync(join(crumb, "tokenizer_config.json")),
  );

  it("encodes the prompts and decodes the answers of reference.json", () => {
    const { cases } = JSON.parse(readFileSync(join(crumb, "reference.json"), "utf8")) as {
      cases: { prompt: string; prompt_ids: number[]; tokens: number[]; text: string }[];
    };
    expect(cases.length).toBeGreaterThan(0);
    for (const { prompt, prompt_ids, tokens, text } of cases) {
      expect(tokenizer.encode(prompt)).toEqual(prompt_ids);
      expect(tokenizer.decode(tokens)).toBe(text);
    }
  });

  it("ends at <|eot_id|> and at <|end_of_text|>", () => {
    expect([...tokenizer.endIds].sort()).toEqual([1020, 1023]);
    expect(tokenizer.addBos).toBe(false);
  });
});
