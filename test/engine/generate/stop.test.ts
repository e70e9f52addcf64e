import { describe, expect, it } from "vitest";
import { StopMatcher } from "../../../src/engine/generate/stop.ts";
import { uniform } from "../../../src/engine/sample/random.ts";
import { stopwatch } from "../../helpers/stopwatch.ts";

/**
 * The plain implementation: the first place where a stop string is complete, and the longest of those that end there.
 */
function reference(text: string, stops: readonly string[]): { text: string; stopped: boolean } {
  for (let end = 1; end <= text.length; end++) {
    const lengths = stops.filter((stop) => text.slice(0, end).endsWith(stop)).map((stop) => stop.length);
    if (lengths.length > 0) return { text: text.slice(0, end - Math.max(...lengths)), stopped: true };
  }
  return { text, stopped: false };
}

function run(pieces: readonly string[], stops: readonly string[]) {
  const matcher = new StopMatcher(stops);
  let text = "";
  for (const piece of pieces) {
    const result = matcher.push(piece);
    text += result.text;
    if (result.stop !== undefined) return { text, stopped: true };
  }
  return { text: text + matcher.end(), stopped: false };
}

describe("stop strings", () => {
  const cases: [text: string, stops: string[]][] = [
    ["The end. User: hi", ["User:"]],
    ["aaaab", ["aab"]],
    ["abcabcabd", ["abcabd"]],
    ["xabcd", ["abcde", "bc"]],
    ["xab", ["b", "ab"]],
    ["x\n\ny", ["\n\n", "\n"]],
    ["no stop here", ["zzz"]],
    ["almost the sto", ["stop", "the story"]],
    ["é 😀 ende", ["😀 e"]],
    ["stop", ["stop"]],
    ["abab", ["bab", "aba"]],
    ["text", []],
  ];
  for (const [text, stops] of cases) {
    it(`${JSON.stringify(stops)} in ${JSON.stringify(text)}, cut at every two places`, () => {
      const expected = reference(text, stops);
      for (let i = 0; i <= text.length; i++) {
        for (let j = i; j <= text.length; j++) {
          expect(run([text.slice(0, i), text.slice(i, j), text.slice(j)], stops)).toEqual(expected);
        }
      }
      expect(run([...text], stops)).toEqual(expected);
    });
  }

  it("random texts over two letters equal the reference", () => {
    let n = 0;
    const random = (below: number) => Math.floor(uniform(3, n++, 0) * below);
    const word = (length: number) => Array.from({ length }, () => "ab"[random(2)]).join("");
    for (let i = 0; i < 2000; i++) {
      const stops = Array.from({ length: 1 + random(4) }, () => word(3 + random(4)));
      const text = word(random(30));
      expect(run([...text], stops), `${text} ${stops}`).toEqual(reference(text, stops));
    }
  });

  it("holds back only text that may still become a stop string", () => {
    const matcher = new StopMatcher(["</s>", "User:"]);
    expect(matcher.push("abc <").text).toBe("abc ");
    expect(matcher.push("/").text).toBe("");
    expect(matcher.push("p> Us").text).toBe("</p> ");
    expect(matcher.push("ually").text).toBe("Usually");
    expect(matcher.end()).toBe("");
  });

  it("takes linear time on repetitive text", () => {
    const matcher = new StopMatcher([`${"a".repeat(255)}b`, "a".repeat(100).concat("c")]);
    const seconds = stopwatch();
    let length = 0;
    for (let i = 0; i < 10_000; i++) length += matcher.push("a".repeat(100)).text.length;
    expect(length).toBe(1_000_000 - 255);
    expect(seconds()).toBeLessThan(3); // measured 0.1 s
  });
});
