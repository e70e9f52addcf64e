/** Tokens that may not come: the end before `minTokens`, bad words, tokens beside `allowedTokens`. */
import { describe, expect, it } from "vitest";
import { Candidates } from "../../../src/engine/sample/candidates.ts";
import type { SamplingOptions } from "../../../src/engine/sample/options.ts";
import { Sampler } from "../../../src/engine/sample/sampler.ts";
import { EOS, FakeTokenizer } from "../../helpers/fake-tokenizer.ts";
import { neutral } from "./neutral.ts";

const tokenizer = new FakeTokenizer();

describe("bans", () => {
  const make = (options: Partial<SamplingOptions>) =>
    new Sampler({ ...neutral, ...options }, { candidates: new Candidates(300), tokenizer, endIds: tokenizer.endIds });
  const favour = (...ids: number[]) => Float32Array.from({ length: 300 }, (_, id) => 20 - ids.indexOf(id) - (ids.includes(id) ? 0 : 40)); // biome-ignore format: one formula

  it("no end token before minTokens", () => {
    for (const temperature of [0, 1]) {
      const sampler = make({ minTokens: 3, temperature });
      const ids = [0, 1, 2, 3].map((position) => sampler.sample(favour(EOS, 65), [], { position, choice: 0 }));
      expect(ids.slice(0, 3)).toEqual([65, 65, 65]);
      expect(temperature === 0 ? ids[3] : EOS).toBe(EOS);
    }
  });

  it("the token that would complete a bad word, in the answer only, with and without a space before", () => {
    const sampler = make({ badWords: ["cat"], temperature: 0 });
    const bytes = (text: string) => tokenizer.encode(text, { special: false, addBos: false });
    const next = (prompt: string, answer: string, ...wanted: string[]) => {
      const tokens = [...bytes(prompt), ...bytes(answer)];
      return tokenizer.token(
        sampler.sample(favour(...wanted.flatMap(bytes)), tokens, { position: bytes(answer).length, choice: 0 }),
      );
    };
    expect(next("", "the ca", "t", "r")).toBe("r");
    expect(next("", "ca", "t", "r")).toBe("r");
    expect(next("", "the c", "t", "r")).toBe("t");
    expect(next("ca", "", "t", "r")).toBe("t");
    expect(next("c", "a", "t", "r")).toBe("t");
  });

  it("allowed tokens, less the banned ones; a constraint narrows them", () => {
    const sampler = make({ allowedTokens: new Set([1, 2, 3]), logitBias: new Map([[1, -Infinity], [0, 50]]) }); // biome-ignore format: a list
    for (let i = 0; i < 50; i++)
      expect([2, 3]).toContain(sampler.sample(favour(0, 1, 2, 3), [], { position: i, choice: 0 }));
    const mask = new Uint32Array(10);
    mask[0] = (1 << 3) | (1 << 4);
    expect(sampler.sample(favour(0, 1, 2, 4, 3), [], { position: 0, choice: 0 }, mask)).toBe(3);
    mask[0] = 1 << 4;
    expect(() => sampler.sample(favour(0), [], { position: 0, choice: 0 }, mask)).toThrow(/every token is forbidden/);
  });

  it("a vocabulary that is no multiple of 32", () => {
    for (const size of [1, 31, 32, 33, 63, 64, 65]) {
      const candidates = new Candidates(size);
      const sampler = new Sampler({ ...neutral, minTokens: 9, temperature: 0 }, { candidates, tokenizer, endIds: new Set([0]) }); // biome-ignore format: one call
      const logits = Float32Array.from({ length: size }, (_, id) => id);
      if (size === 1) expect(() => sampler.sample(logits, [], { position: 0, choice: 0 })).toThrow(/forbidden/);
      else expect(sampler.sample(logits, [], { position: 0, choice: 0 })).toBe(size - 1);
    }
  });
});
