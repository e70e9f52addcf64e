import { expect, test } from "vitest";
import {
  getBoolean,
  getBooleanPerLayer,
  getNumber,
  getNumbers,
  getPerLayer,
  getString,
  getStrings,
} from "../../src/formats/typed-values.ts";
import { codeOf } from "./helpers.ts";

const values = new Map<string, unknown>([
  ["n", 3],
  ["half", 0.5],
  ["nan", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
  ["big", 2 ** 60],
  ["null", null],
  ["text", "x"],
  ["yes", true],
  ["list", new Uint32Array([1, 0, 1])],
  ["plain", [1, 2]],
  ["flags", [true, false, true]],
  ["texts", ["a", "b"]],
  ["mixed", ["a", 1]],
]);
const code = (get: () => unknown) => codeOf((async () => get())());

test("getNumber", async () => {
  expect(getNumber(values, "n", { integer: true, min: 3, max: 3 })).toBe(3);
  expect(getNumber(values, "none", { default: 7 })).toBe(7);
  expect(getNumber(values, "null", { default: 7 })).toBe(7);
  expect(await code(() => getNumber(values, "none"))).toBe("missing_key");
  expect(await code(() => getNumber(values, "null"))).toBe("missing_key");
  for (const key of ["text", "yes", "list"]) expect(await code(() => getNumber(values, key))).toBe("bad_type");
  for (const key of ["half", "nan", "infinity", "big"]) {
    expect(await code(() => getNumber(values, key, { integer: true })), key).toBe("bad_value");
  }
  for (const key of ["nan", "infinity"]) expect(await code(() => getNumber(values, key))).toBe("bad_value");
  expect(await code(() => getNumber(values, "n", { min: 4 }))).toBe("bad_value");
  expect(await code(() => getNumber(values, "n", { max: 2 }))).toBe("bad_value");
  expect(() => getNumber(values, "n", { min: 4 })).toThrow("n: expected at least 4, got 3");
});

test("getPerLayer", async () => {
  expect(getPerLayer(values, "n", 2)).toEqual([3, 3]);
  expect(getPerLayer(values, "list", 3)).toEqual([1, 0, 1]);
  expect(getPerLayer(values, "plain", 2)).toEqual([1, 2]);
  expect(getPerLayer(values, "none", 2, { default: 0 })).toEqual([0, 0]);
  expect(await code(() => getPerLayer(values, "none", 2))).toBe("missing_key");
  for (const layers of [1, 2, 4]) expect(await code(() => getPerLayer(values, "list", layers))).toBe("bad_value");
  expect(await code(() => getPerLayer(values, "list", 3, { min: 1 }))).toBe("bad_value");
  for (const key of ["texts", "mixed", "flags"]) expect(await code(() => getPerLayer(values, key, 2))).toBe("bad_type");
});

test("getBooleanPerLayer", async () => {
  expect(getBooleanPerLayer(values, "flags", 3)).toEqual([true, false, true]);
  expect(getBooleanPerLayer(values, "list", 3)).toEqual([true, false, true]);
  expect(getBooleanPerLayer(values, "yes", 2)).toEqual([true, true]);
  expect(getBooleanPerLayer(values, "none", 2, { default: true })).toEqual([true, true]);
  expect(await code(() => getBooleanPerLayer(values, "none", 2))).toBe("missing_key");
  expect(await code(() => getBooleanPerLayer(values, "flags", 2))).toBe("bad_value");
  expect(await code(() => getBooleanPerLayer(values, "n", 2))).toBe("bad_value");
  expect(await code(() => getBooleanPerLayer(values, "texts", 2))).toBe("bad_type");
});

test("strings, booleans and lists", async () => {
  expect(getString(values, "text")).toBe("x");
  expect(getString(values, "none", { default: "d" })).toBe("d");
  expect(await code(() => getString(values, "none"))).toBe("missing_key");
  expect(await code(() => getString(values, "n"))).toBe("bad_type");
  expect(getBoolean(values, "yes")).toBe(true);
  expect(getBoolean(values, "none", { default: false })).toBe(false);
  expect(await code(() => getBoolean(values, "none"))).toBe("missing_key");
  expect(await code(() => getBoolean(values, "n"))).toBe("bad_type");
  expect(getStrings(values, "texts")).toEqual(["a", "b"]);
  expect(getStrings(values, "none")).toBeUndefined();
  expect(await code(() => getStrings(values, "mixed"))).toBe("bad_type");
  expect(getNumbers(values, "plain")).toEqual([1, 2]);
  expect(getNumbers(values, "none")).toBeUndefined();
  for (const key of ["mixed", "n", "text"]) expect(await code(() => getNumbers(values, key))).toBe("bad_type");
});
