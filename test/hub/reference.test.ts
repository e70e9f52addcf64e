import { describe, expect, it } from "vitest";
import { fitsWorker, knownFamilies } from "../../src/hub/families.ts";
import { parseReference } from "../../src/hub/reference.ts";
import { KNOWN_MODELS } from "../../src/hub/registry.ts";

const hub = (text: string) => {
  const reference = parseReference(text);
  if (reference?.kind !== "hub") throw new Error(`${text} is not a reference to the hub`);
  const { id, repository, revision, quant } = reference;
  return [id, repository, revision, quant];
};

describe("references", () => {
  it.each([
    ["hf:a/b", ["hf:a/b", "a/b", "main", undefined]],
    ["hf:a/b:q4_k_m", ["hf:a/b:Q4_K_M", "a/b", "main", "Q4_K_M"]],
    ["HF:a/b:Q8_0", ["hf:a/b:Q8_0", "a/b", "main", "Q8_0"]],
    ["hf.co/a/b", ["hf:a/b", "a/b", "main", undefined]],
    ["hf:a/b@v1:q8_0", ["hf:a/b@v1:Q8_0", "a/b", "v1", "Q8_0"]],
    ["hf:a/b@refs/pr/3", ["hf:a/b@refs/pr/3", "a/b", "refs/pr/3", undefined]],
    ["hf:a/b:sub/x-Q4_0.gguf", ["hf:a/b:sub/x-Q4_0.gguf", "a/b", "main", "sub/x-Q4_0.gguf"]],
  ])("%s", (text, expected) => expect(hub(text)).toEqual(expected));

  it("a name in any letter case", () => {
    expect(hub("SmolLM2:360M").slice(0, 3)).toEqual([
      "smollm2:360m",
      "bartowski/SmolLM2-360M-Instruct-GGUF",
      "ab928a97ee49f3a015f35194879f68211291d6ca",
    ]);
    expect(hub("mobilellm-r1-base:140m")).toEqual([
      "mobilellm-r1-base:140m",
      "facebook/MobileLLM-R1-140M-base",
      "main",
      undefined,
    ]);
  });

  it("URLs: https, or this machine; all shards of a split file", () => {
    const split = parseReference("https://example.org/x/m-00001-of-00003.gguf?v=2#top");
    expect(split).toMatchObject({ kind: "url", id: "https://example.org/x/m-00001-of-00003.gguf?v=2" });
    expect(split?.kind === "url" && split.urls.map(String)).toEqual(
      [1, 2, 3].map((i) => `https://example.org/x/m-0000${i}-of-00003.gguf?v=2`),
    );
    expect(parseReference("http://localhost:8080/m.gguf")?.id).toBe("http://localhost:8080/m.gguf");
  });

  it.each([
    "crumb",
    "model.gguf",
    "./smollm2",
    "What is hf:a/b ?",
    "C:\\models\\a.gguf",
    "hello",
    "a:b",
    "constructor",
  ])("none in %s", (text) => expect(parseReference(text)).toBeUndefined());

  it.each([
    "hf:a",
    "hf:../b",
    "hf:a/..",
    "hf:a/b@../x",
    "hf:a/b:../x.gguf",
    "hf:a/b/c",
    "hf:a/b:",
    "http://example.org/m.gguf",
    "https://user:secret@example.org/m.gguf",
    "https://",
    "smollm2:9b",
    "qwen2.5-base:",
  ])("refused: %s", (text) =>
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: "invalid_argument" })),
  );

  it("a secret is not repeated in the message", () => {
    expect(() => parseReference("https://user:secret@example.org/m.gguf")).toThrow(/^(?!.*secret)/);
  });
});

describe("the registry", () => {
  it("has every row of MobileLLM-R1's card", () => {
    const names = new Set(KNOWN_MODELS.map(({ name }) => name));
    expect(names.size).toBe(KNOWN_MODELS.length);
    const families: [string, string[]][] = [
      ["mobilellm-r1", ["140m", "360m", "950m"]],
      ["smollm2", ["135m", "360m", "1.7b"]],
      ["gemma3", ["270m", "1b"]],
      ["qwen2.5", ["0.5b", "1.5b"]],
      ["qwen3", ["0.6b", "1.7b"]],
      ["llama3.2", ["1b"]],
      ["olmo2", ["1b"]],
    ];
    for (const [family, sizes] of families)
      for (const size of sizes)
        expect([names.has(`${family}:${size}`), names.has(`${family}-base:${size}`)], `${family}:${size}`).toEqual([
          true,
          true,
        ]);
    for (const name of ["crumb", "deepseek-r1-distill-qwen:1.5b", "openreasoning-nemotron:1.5b"])
      expect(names).toContain(name);
  });

  it("every family says what it is good for, and models that fit a Worker are marked", () => {
    for (const { name, goodFor } of knownFamilies()) expect(goodFor, name).toMatch(/^\w.{8,80}$/);
    expect(knownFamilies().flatMap(({ models }) => models)).toHaveLength(KNOWN_MODELS.length);
    const marked = KNOWN_MODELS.filter(fitsWorker).map(({ name }) => name);
    expect(marked).toContain("crumb");
    expect(marked).toContain("mobilellm-r1:140m");
    expect(marked).not.toContain("qwen3:0.6b");
  });

  it("names are typed in small letters; what is pinned is pinned whole", () => {
    for (const { name, pinned, repository, gated } of KNOWN_MODELS) {
      expect(name).toMatch(/^[a-z0-9.-]+(:[a-z0-9.]+)?$/);
      if (pinned) {
        expect(pinned.sha256).toMatch(/^[0-9a-f]{64}$/);
        if (repository !== undefined) expect(pinned.revision).toMatch(/^[0-9a-f]{40}$/);
        expect(pinned.bytes).toBeGreaterThan(9e7);
        expect(gated).toBeUndefined();
      }
      if (repository !== undefined) expect(repository).toMatch(/^[\w.-]+\/[\w.-]+$/);
    }
  });
});
