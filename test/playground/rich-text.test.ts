/** The playground shows a model's text in the same way however it is cut into pieces. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Block, blocksOf, inlinesOf } from "../../examples/playground/rich-text.ts";

const shape = (blocks: readonly Block[]): string[] => blocks.map(({ kind, text }) => `${kind}: ${text}`);

describe("blocks", () => {
  it.each([
    ["one\ntwo\n\n\nthree", ["text: one\ntwo", "text: three"]],
    ["Look:\n```js\nf();\n\ng();\n```\n\n  Done.", ["text: Look:", "code: f();\n\ng();", "text:   Done."]],
    ["```\nstill open", ["code: still open"]],
    ["```js", ["code: "]],
    ["```\n```\nafter", ["code: ", "text: after"]],
    ["a ``` b\n\n", ["text: a ``` b"]],
    ["", []],
  ])("%j", (text, expected) => {
    expect(shape(blocksOf(text))).toEqual(expected);
  });

  it("all blocks except the last are final: continuing from the last gives the blocks of the whole text", () => {
    const pieces = fc.array(fc.constantFrom("a", "\n", "\n\n", "```", "```\n", "`", " ", "x\n"), { maxLength: 30 });
    fc.assert(
      fc.property(pieces, (parts) => {
        let text = "";
        let blocks: Block[] = [];
        for (const part of parts) {
          text += part;
          const start = blocks.at(-1)?.start ?? 0;
          blocks = [...blocks.slice(0, -1), ...blocksOf(text, start)];
        }
        expect(blocks).toEqual(blocksOf(text));
      }),
      { numRuns: 500 },
    );
  });

  it("no text is lost except fences and the white space between blocks", () => {
    const words = fc.array(fc.constantFrom("word", "\n", "\n\n", " "), { maxLength: 30 });
    fc.assert(
      fc.property(words, (parts) => {
        const letters = (text: string): string => text.replace(/\s/g, "");
        const text = parts.join("");
        expect(letters(blocksOf(text).reduce((all, block) => all + block.text, ""))).toBe(letters(text));
      }),
    );
  });
});

describe("inlines", () => {
  it.each([
    ["It goes \\boxed{260} km.", ["text: It goes ", "boxed: 260", "text:  km."]],
    ["`a` and **b**", ["code: a", "text:  and ", "bold: b"]],
    ["2 ** 3 ** 4 <b>", ["text: 2 ** 3 ** 4 <b>"]],
    ["\\boxed{open", ["text: \\boxed{open"]],
  ])("%j", (text, expected) => {
    expect(inlinesOf(text, false).map(({ kind, text }) => `${kind}: ${text}`)).toEqual(expected);
  });

  it("the beginning of a box waits for its end", () => {
    const text = "So \\boxed{26}";
    for (let length = 4; length < text.length; length++)
      expect(inlinesOf(text.slice(0, length), true)).toEqual([{ kind: "text", text: "So " }]);
    expect(inlinesOf(text, true).at(-1)).toEqual({ kind: "boxed", text: "26" });
  });
});
