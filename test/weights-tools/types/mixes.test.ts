import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { canQuantize } from "../../../weights-tools/quantize/quantize.ts";
import { type Mix, type ModelFacts, modelFacts, typeFor } from "../../../weights-tools/types/mixes.ts";
import {
  chooseType,
  fileType,
  tensorWeightType,
  weightType,
  weightTypeNames,
} from "../../../weights-tools/types/weight-types.ts";
import { fixtureGguf } from "../helpers.ts";

interface RecordedModel {
  readonly name: string;
  readonly facts: ModelFacts;
  readonly tensors: readonly (readonly [name: string, ...shape: number[]])[];
  /** One type per tensor, separated by blanks. */
  readonly types: Readonly<Record<Mix, string>>;
}
const file = readFileSync(new URL("../../fixtures/quantization/mixes.json.gz", import.meta.url));
const models: RecordedModel[] = JSON.parse(gunzipSync(file).toString());
const mixes = Object.keys(models[0]!.types) as Mix[];

describe.each(models)("$name", ({ facts, tensors, types }) => {
  it.each(mixes)("%s: the types that llama.cpp gives", (mix) => {
    const ours = tensors.map(([name, ...shape]) => chooseType({ name, shape }, { type: mix }, facts).type);
    const theirs = types[mix].split(" ");
    expect(tensors.map(([name], i) => `${name} ${ours[i]}`)).toEqual(
      tensors.map(([name], i) => `${name} ${theirs[i]}`),
    );
  });
});

const facts: ModelFacts = { layers: 24, headsPerKvHead: 2, experts: 0, tiedOutput: true, importance: false };
const down = (layer: number) => ({ name: `blk.${layer}.ffn_down.weight`, shape: [256, 256] });

it("keeps the first layers of iq4_nl and iq4_xs small where there is an importance matrix", () => {
  expect(typeFor(down(0), "iq4_xs", facts)).toBe("Q5_K");
  expect(typeFor(down(0), "iq4_xs", { ...facts, importance: true })).toBe("IQ4_XS");
  expect(typeFor(down(3), "iq4_xs", facts)).toBe("IQ4_XS");
});

describe("chooseType", () => {
  it("gives one type to all matrices on request", () => {
    expect(chooseType(down(0), { type: "q4_k_m" }, facts)).toEqual({ type: "Q6_K" });
    expect(chooseType(down(0), { type: "q4_k_m", pure: true })).toEqual({ type: "Q4_K" });
  });

  it("lets exceptions win over the mix, K types by their own names", () => {
    const choice = { type: "q4_k_m", tensorType: [["*.ffn_down.*", "q3_k"]] } as const;
    expect(chooseType(down(0), choice, facts)).toEqual({ type: "Q3_K" });
    expect(chooseType({ name: "blk.0.attn_v.weight", shape: [64, 256] }, choice, facts)).toEqual({ type: "Q6_K" });
  });

  it("keeps vectors F32", () => {
    expect(chooseType({ name: "blk.0.attn_v.bias", shape: [256] }, { type: "q2_k" }, facts)).toEqual({ type: "F32" });
  });

  it("says why narrow rows get another type", () => {
    const narrow = { name: "blk.9.ffn_up.weight", shape: [64, 576] };
    expect(chooseType(narrow, { type: "q4_k_s" }, facts)).toEqual({
      type: "Q5_0",
      reason: "rows of 576 values are not a multiple of the 256 values in a block of Q4_K",
    });
    expect(chooseType({ ...narrow, shape: [64, 40] }, { type: "q4_k_s" }, facts).type).toBe("F16");
  });

  it("refuses a mix without facts, and a mix as the type of one tensor", () => {
    const wrong = expect.objectContaining({ code: "invalid_argument" });
    expect(() => chooseType(down(0), { type: "q4_k_m" })).toThrow(wrong);
    expect(() => tensorWeightType("q4_k_m")).toThrow(wrong);
    expect(() => tensorWeightType("q4_k_x")).toThrow(wrong);
    expect(() => weightType("q4_k")).toThrow(wrong);
    expect(() => weightType("toString")).toThrow(wrong);
  });
});

it("can write every type that it offers, with llama.h's numbers", () => {
  for (const type of weightTypeNames) {
    expect(canQuantize(chooseType({ name: "blk.12.ffn_up.weight", shape: [1, 256] }, { type }, facts).type)).toBe(true);
  }
  const numbers = ["f32", "bf16", "mxfp4", "q2_k", "q3_k_m", "q4_k_m", "q5_k_s", "q6_k", "iq4_xs"] as const;
  expect(numbers.map(fileType)).toEqual([0, 32, 38, 10, 12, 15, 16, 18, 30]);
});

it("reads the facts of a model", async () => {
  expect(modelFacts(await fixtureGguf("llama"))).toEqual({
    layers: 2,
    headsPerKvHead: 3,
    experts: 0,
    tiedOutput: true,
    importance: false,
  });
  expect(modelFacts(await fixtureGguf("llama-untied"), true)).toMatchObject({ tiedOutput: false, importance: true });
});
