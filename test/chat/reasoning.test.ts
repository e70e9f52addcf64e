import { describe, expect, it } from "vitest";
import { opensReasoning, ReasoningSplitter } from "../../src/chat/reasoning.ts";

function split(pieces: readonly string[], opened = false) {
  const splitter = new ReasoningSplitter(opened);
  const out = { content: "", reasoning: "" };
  for (const delta of [...pieces.map((piece) => splitter.push(piece)), splitter.end()]) {
    out.content += delta.content;
    out.reasoning += delta.reasoning;
  }
  return out;
}

const CASES: [name: string, text: string, opened: boolean, reasoning: string, content: string][] = [
  [
    "a block, then the answer",
    "<think>\nDistance = 4.\n</think>\nIt goes 4 km.",
    false,
    "Distance = 4.",
    "It goes 4 km.",
  ],
  ["white space in front", " \n<think>a</think>b", false, "a", "b"],
  ["no block", "Hello <b>", false, "", "Hello <b>"],
  ["only white space", " \n", false, "", " \n"],
  ["almost a tag", "<thing>", false, "", "<thing>"],
  ["the beginning of a tag", "<thi", false, "", "<thi"],
  ["a tag later on is text", "See <think>x</think>.", false, "", "See <think>x</think>."],
  ["only the first block", "<think>a</think>b<think>c</think>", false, "a", "b<think>c</think>"],
  ["a block that does not end", "<think>a </thin", false, "a </thin", ""],
  ["white space inside stays", "<think> a \n b </ </think>  c d ", false, "a \n b </", "c d "],
  ["an empty block", "<think>\n\n</think>\n\n42", false, "", "42"],
  ["opened by the prompt", "\na <think> b\n</think>\n\nc", true, "a <think> b", "c"],
  ["opened, not ended", "a b ", true, "a b", ""],
];

describe("reasoning and answer", () => {
  for (const [name, text, opened, reasoning, content] of CASES) {
    it(name, () => {
      expect(split([text], opened)).toEqual({ reasoning, content });
      expect(split([...text], opened)).toEqual({ reasoning, content });
      for (let i = 0; i <= text.length; i++) {
        for (let j = i; j <= text.length; j++) {
          const pieces = [text.slice(0, i), text.slice(i, j), text.slice(j)];
          expect(split(pieces, opened)).toEqual({ reasoning, content });
        }
      }
    });
  }

  it("holds back no more than what may be a tag", () => {
    const splitter = new ReasoningSplitter();
    expect(splitter.push("<think>ab")).toEqual({ content: "", reasoning: "ab" });
    expect(splitter.push("c</th")).toEqual({ content: "", reasoning: "c" });
    expect(splitter.push("e")).toEqual({ content: "", reasoning: "</the" });
    expect(splitter.push("</think>x")).toEqual({ content: "x", reasoning: "" });
    expect(splitter.push("</think>")).toEqual({ content: "</think>", reasoning: "" });
  });

  it("sees a prompt that opens the block", () => {
    expect(opensReasoning("<|Assistant|><think>\n")).toBe(true);
    expect(opensReasoning("<think>\n\n</think>\n\n")).toBe(false);
  });
});
