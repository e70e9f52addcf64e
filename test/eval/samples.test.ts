/** Lines of samples as lm-eval 0.4.13 writes them, and what it makes of rows before. Expected values come from Python. */
import { describe, expect, it } from "vitest";
import { filtersOf } from "../../src/eval/filters.ts";
import { answerRequests } from "../../src/eval/generation.ts";
import { DOC_PROCESSES } from "../../src/eval/process-docs.ts";
import { TASKS } from "../../src/eval/registry.ts";
import { readScored, sampleLine } from "../../src/eval/samples.ts";

describe("what filters leave of two answers", () => {
  const runner = { run: async () => ({ passed: true }) } as never;
  const row = { prompt: "def f():", answer: "2", Answer: "2" };
  it.each([
    ["humaneval", [["def f(): a", "def f(): b"]]],
    ["mbpp_instruct", [["", ""]]],
    ["mbpp", [" a", " b"]],
    ["hendrycks_math500", [" a", " b"]],
    ["aime24", [" a", " b"]],
    ["gsm8k_cot", ["[invalid]", "[invalid]"]],
  ])("%s", async (name, filtered) => {
    const [filter] = filtersOf(TASKS.get(name)!, runner);
    const judged = await filter!.judge([" a", " b"], { target: "2", row });
    expect(judged.filtered).toEqual(filtered);
  });
});

describe("the settings of an answer", () => {
  const settings = (name: string, options = {}) => {
    const { generation_kwargs, ...task } = TASKS.get(name)!;
    const question = { context: "", messages: undefined };
    return answerRequests(0, question, { ...task, generation_kwargs: generation_kwargs! }, options);
  };
  it("are the task's", () => {
    const { until } = TASKS.get("humaneval_64")!.generation_kwargs!;
    const { requests, settings: shown } = settings("humaneval_64");
    expect(shown).toEqual({ until, max_gen_toks: 1024, do_sample: true, temperature: 0.2, top_p: 0.95 });
    expect(requests.length).toBe(64);
  });
  it("with what the caller changes", () => {
    const sampling = (own: object) => ({ ...own, temperature: 0.5, topK: 3, logitBias: new Map(), seed: 0 });
    expect(settings("gsm8k", { sampling, maxTokens: 9 }).settings).toEqual({
      until: ["Question:", "</s>", "<|im_end|>"],
      ...{ do_sample: true, temperature: 0.5, top_k: 3, max_gen_toks: 9 },
    });
  });
});

it("a line: lm-eval's fields in its order, with its hashes, and ours behind them", () => {
  const row = { q: 'caf\u00e9 \u2028 "x" \u0001\u007f\u{1f600}', n: [1, 2.5, null, true], e: [], o: {} };
  const line = sampleLine({
    ...{ id: 3, row, target: "1", requests: [["Q: caf\u00e9", { until: [] }]], resps: [["a", "b"]], filter: "none" },
    ...{ filtered: ["a", "b"], answers: ["x", "y"], metrics: { exact_match: 0.5 } },
  });
  const json = JSON.parse(line);
  expect(Object.keys(json)).toEqual([
    ...["doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"],
    ...["doc_hash", "prompt_hash", "target_hash", "exact_match", "answers"],
  ]);
  expect(json).toMatchObject({
    doc_hash: "adbdbe1fd725b7fc3ccab338956a010475294c407a1f21060f14e6a54e0b8557",
    prompt_hash: "5274da988ddb7765cfda29f87e8728c88f9f8459eb063352cb4976a689795f73",
    target_hash: "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
  });
  expect(readScored(line)).toEqual({ id: 3, filter: "none", metrics: { exact_match: 0.5 }, answers: 2 });
});

it.each([
  [
    ["Tying", "[header] How to tie [title] Take a rope", "[step] LIFT it  up"],
    "Tying: How to tie. Take a rope lift it up",
  ],
  [["Cooking", "He stirs [a\nb] the pot", "\u01c5UNGLA [c\rd] x"], "Cooking: He stirs [a\nb] the pot \u01c5ungla x"],
  [
    [" Running ", "A [e\u2028f] man [unclosed", "\u03a3\u0391\u03a3 END   three"],
    "Running : A man [unclosed \u03a3\u03b1\u03c2 end  three",
  ],
  [["Skiing", "x [title] ", ""], "Skiing: x. "],
])("HellaSwag's context %j", ([activity_label, ctx_a, ctx_b], query) => {
  const endings = ["  [substeps] Ends [title] here.  ", "[title]", "a    b", ""];
  const row = { activity_label, ctx_a, ctx_b, endings, label: "2" };
  const choices = [" Ends. here.", "", "a  b", ""];
  expect(DOC_PROCESSES.hellaswag.row(row)).toEqual({ ...row, query, choices, gold: 2 });
});
