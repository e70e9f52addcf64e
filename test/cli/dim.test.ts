import { describe, expect, it } from "vitest";
import { ReasoningDimmer } from "../../src/cli/dim.ts";

const DIM = "\x1b[2m";
const PLAIN = "\x1b[22m";

describe("reasoning in dim letters", () => {
  it.each([
    ["<think>a < b</think>\nSo.", `${DIM}<think>a < b</think>${PLAIN}\nSo.`],
    ["\n <think>a", `${DIM}\n <think>a${PLAIN}`],
    ["<think></think>", `${DIM}<think></think>${PLAIN}`],
    ["<thin air", "<thin air"],
    ["<thi", "<thi"],
    ["It says <think>a</think>.", "It says <think>a</think>."],
    ["<think>a</think>b<think>c</think>", `${DIM}<think>a</think>${PLAIN}b<think>c</think>`],
    ["<think>a</thin</think>b", `${DIM}<think>a</thin</think>${PLAIN}b`],
    ["", ""],
  ])("%j, in pieces of any length", (text, styled) => {
    for (let length = 1; length <= text.length + 1; length++) {
      const dimmer = new ReasoningDimmer();
      let out = "";
      for (let at = 0; at < text.length; at += length) out += dimmer.push(text.slice(at, at + length));
      expect(out + dimmer.end()).toBe(styled);
    }
  });
});
