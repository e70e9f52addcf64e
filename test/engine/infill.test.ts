/** Prompts that fill a gap: exact ids, in the order of llama.cpp's `format_infill`. */
import { describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import type { Completion } from "../../src/engine/openai/completion-types.ts";
import type { Tokenizer } from "../../src/tokenizer/types.ts";
import { FakeExecutor } from "../helpers/fake-executor.ts";
import { BOS, FakeTokenizer, FIM } from "../helpers/fake-tokenizer.ts";
import { answering, create, tokenizer } from "./answering.ts";

const bytes = (text: string): number[] => [...new TextEncoder().encode(text)];
const { prefix: PRE, suffix: SUF, middle: MID, repository: REP, file: SEP } = FIM;
const HEAD = [REP, ...bytes("myproject\n")];
const FILE = [SEP, ...bytes("filename\n")];

/** A model whose tokenizer has only these tokens, and what else `change` changes. */
function modelOf(
  fim: Tokenizer["fim"],
  parts: { contextLength?: number; spmInfill?: boolean; addBos?: boolean } = {},
): Model {
  const { contextLength = 4096, spmInfill, addBos = true } = parts;
  const own = Object.assign(new FakeTokenizer(), { fim, addBos });
  return create(new FakeExecutor({ contextLength, pages: 1000 }), { tokenizer: own, spmInfill });
}
const threw = (run: () => unknown): { code: string; message: string; param?: string } => {
  try {
    run();
  } catch (error) {
    return error as never;
  }
  throw new Error("nothing was thrown");
};

describe("the prompt of a gap", () => {
  const model = modelOf(FIM);
  it("has the repository, the file, prefix and suffix, and BOS behind the other files", () => {
    const around = [BOS, PRE, ...bytes("ab"), SUF, ...bytes("yz"), MID];
    expect(model.infillPrompt("ab", "yz")).toEqual([...HEAD, ...FILE, ...around]);
    expect(model.infillPrompt(bytes("ab"), bytes("yz"))).toEqual([...HEAD, ...FILE, ...around]);
    expect(modelOf(FIM, { addBos: false }).infillPrompt("", "")).toEqual([...HEAD, ...FILE, PRE, SUF, MID]);
  });

  it("has what is begun behind the prefix, and other files before their file", () => {
    const files = [{ filename: "a.h", text: "one" }, { text: "two" }];
    expect(model.infillPrompt("ab", "yz", { begun: "cd", files })).toEqual([
      ...HEAD,
      ...[SEP, ...bytes("a.h\none")],
      ...[SEP, ...bytes("tmp\ntwo")],
      ...FILE,
      ...[BOS, PRE, ...bytes("abcd"), SUF, ...bytes("yz"), MID],
    ]);
  });

  it("has a line of text before other files where there are no tokens for them", () => {
    const { prefix, suffix, middle } = FIM;
    const plain = modelOf({ prefix, suffix, middle });
    const around = [BOS, PRE, ...bytes("ab"), SUF, ...bytes("yz"), MID];
    expect(plain.infillPrompt("ab", "yz")).toEqual(around);
    const files = [{ filename: "a.h", text: "one" }, { text: "two" }];
    const snippets = bytes("\n\n--- snippet ---\n\none\n\n--- snippet ---\n\ntwo");
    expect(plain.infillPrompt("ab", "yz", { files })).toEqual([...snippets, ...around]);
  });

  it("has the suffix first on request, and as Codestral was trained, which has no token for the gap", () => {
    const spm = modelOf(FIM, { spmInfill: true });
    const around = [BOS, SUF, ...bytes("yz"), PRE, ...bytes("abcd"), MID];
    expect(spm.infillPrompt("ab", "yz", { begun: "cd" })).toEqual([...HEAD, ...FILE, ...around]);
    const codestral = modelOf({ prefix: PRE, suffix: SUF, suffixFirst: true });
    expect(codestral.infillPrompt("ab", "yz")).toEqual([BOS, SUF, ...bytes("yz"), PRE, ...bytes("ab")]);
  });

  it("takes text that spells a special token as text, but not in what is begun", () => {
    const ids = model.infillPrompt("<eos>", "<|im_end|>", { begun: "<bos>" });
    expect(ids.slice(HEAD.length + FILE.length)).toEqual([
      ...[BOS, PRE, ...bytes("<eos>"), BOS, SUF, ...bytes("<|im_end|>"), MID],
    ]);
  });
});

describe("of long texts", () => {
  const a = "a".repeat(5000);
  const z = "z".repeat(5000);
  const count = (ids: readonly number[], letter: string): number =>
    ids.filter((id) => id === letter.charCodeAt(0)).length;

  it("the nearest 1,536 tokens before the gap and 510 after it stay, fewer by what is begun", () => {
    const model = modelOf(FIM, { contextLength: 8192 });
    const ids = model.infillPrompt(`first${a}`, `${z}last`);
    expect([count(ids, "a"), count(ids, "z")]).toEqual([1536 + 1, 510]); // and the a of "filename"
    const begun = model.infillPrompt(a, z, { begun: "begun" });
    expect([count(begun, "a"), count(begun, "z")]).toEqual([1536 + 1, 510 - 5]);
  });

  it("they fit a small context and leave room for the answer, at most a quarter", () => {
    const { prefix, suffix, middle } = FIM;
    const model = modelOf({ prefix, suffix, middle }, { contextLength: 400 });
    for (const [maxTokens, most] of [
      [undefined, 296],
      [1000, 296],
      [20, 376],
      [0, 396],
    ] as const) {
      // biome-ignore format: a list
      const quarter = Math.floor(most / 4);
      const ids = model.infillPrompt(a, z, { maxTokens });
      expect([count(ids, "a"), count(ids, "z")]).toEqual([3 * quarter, quarter - 2]);
      expect(ids.length).toBeLessThan(400);
    }
  });

  it("other files fill what is left, and their end stays", () => {
    const model = modelOf(FIM, { contextLength: 4096 });
    const files = [{ text: "x".repeat(9000) }, { filename: "y", text: "y".repeat(500) }];
    const ids = model.infillPrompt("ab", "yz", { files, maxTokens: 96 });
    const around = 1 + 1 + 2 + 1 + 2 + 1;
    expect(ids.length).toBe(around + 4096 - 2048 - 96 - 4);
    expect(count(ids, "x")).toBe(ids.length - around - FILE.length - (1 + 2 + 500));
    expect(ids.slice(-around - FILE.length, -around)).toEqual(FILE);
    expect(modelOf(FIM, { contextLength: 32 }).infillPrompt("", "", { files })).toEqual([BOS, PRE, SUF, MID]);
  });

  it("a beginning that leaves no room is an error", () => {
    expect(threw(() => modelOf(FIM, { contextLength: 400 }).infillPrompt("", "", { begun: a }))).toMatchObject({
      code: "context_full",
      param: "begun",
    });
  });
});

describe("refusals", () => {
  it("a model without the tokens, by those that it lacks", async () => {
    const model = modelOf({ prefix: PRE });
    expect(model.info.infill).toBe(false);
    expect(modelOf(FIM).info.infill).toBe(true);
    expect(threw(() => model.infillPrompt("a", "b"))).toMatchObject({
      code: "not_supported",
      message: "the model fake cannot fill gaps: its vocabulary has no token for the suffix, the middle",
    });
    await expect(model.completions.create({ prompt: "a", suffix: "b" })).rejects.toMatchObject({
      code: "invalid_request",
      param: "suffix",
    });
  });

  it("wrong arguments, by name", () => {
    const model = modelOf(FIM);
    const wrong: [unknown, unknown, unknown, string][] = [
      [1, "b", {}, "prefix"],
      ["a", [-1], {}, "suffix"],
      ["a", [300000], {}, "suffix"],
      ["a", "b", { begun: 1 }, "begun"],
      ["a", "b", { maxTokens: -1 }, "maxTokens"],
      ["a", "b", { files: {} }, "files"],
      ["a", "b", { files: [{}] }, "files[0].text"],
      ["a", "b", { files: [{ text: "a" }, { text: "a", filename: 1 }] }, "files[1].filename"],
      ["a", "b", { nonsense: 1 }, "nonsense"],
    ];
    for (const [prefix, suffix, options, param] of wrong)
      expect(threw(() => model.infillPrompt(prefix as never, suffix as never, options as never))).toMatchObject({
        code: "invalid_argument",
        param,
      });
  });
});

describe("suffix of completions", () => {
  const promptOf = async (model: Model, fields: object): Promise<readonly number[] | undefined> => {
    const request = { max_tokens: 1, temperature: 0, return_token_ids: true, stream: false, ...fields } as const;
    const { choices } = (await model.completions.create(request as never)) as unknown as Completion;
    return choices[0]!.prompt_token_ids;
  };

  it("makes the prompt the text before the gap", async () => {
    const { model } = answering("XY");
    expect(await promptOf(model, { prompt: "a<eos>", suffix: "z<eos>" })).toEqual([
      ...[BOS, PRE, ...bytes("a<eos>"), SUF, ...bytes("z<eos>"), MID],
    ]);
    expect(await promptOf(model, { prompt: [97, EOS_ID], suffix: "z" })).toEqual([BOS, PRE, 97, EOS_ID, SUF, 122, MID]);
    const without = { prompt: "a", suffix: "z", add_special_tokens: false };
    expect(await promptOf(model, without)).toEqual([PRE, 97, SUF, 122, MID]);
    expect(await promptOf(modelOf(FIM, { spmInfill: true }), { prompt: "a", suffix: "z" })).toEqual([
      ...[BOS, SUF, 122, PRE, 97, MID],
    ]);
    for (const suffix of ["", null]) expect(await promptOf(model, { prompt: "a", suffix })).toEqual([BOS, 97]);
  });

  it("holds for each of several prompts, and the answers are those to the prompt in ids", async () => {
    const { model } = answering("XY");
    const { choices } = await model.completions.create({
      prompt: ["a", "b"],
      suffix: "z",
      temperature: 0,
      stream: false,
    });
    expect(choices.map(({ text }) => text)).toEqual(["XY", "XY"]);
    const hashed = modelOf(FIM);
    const settings = { temperature: 0, max_tokens: 8, stream: false } as const;
    const filled = await hashed.completions.create({ prompt: "ab", suffix: "yz", ...settings });
    const prompt = [BOS, PRE, ...bytes("ab"), SUF, ...bytes("yz"), MID];
    expect(filled.choices[0]!.text).toBe((await hashed.completions.create({ prompt, ...settings })).choices[0]!.text);
  });

  it("is refused with echo, and where it does not fit", async () => {
    const { model } = answering("XY");
    await expect(model.completions.create({ prompt: "a", suffix: "z", echo: true })).rejects.toMatchObject({
      param: "echo",
    });
    await expect(model.completions.create({ prompt: "a", suffix: 1 } as never)).rejects.toMatchObject({
      param: "suffix",
    });
    const long = { prompt: "a", suffix: "z".repeat(100_000) };
    await expect(model.completions.create(long)).rejects.toMatchObject({ code: "context_full" });
  });
});

const EOS_ID = tokenizer.eosId;
