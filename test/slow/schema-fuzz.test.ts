/** 10,000 random schemas: none hangs, and every text that their masks allow is valid for ajv. */
import { expect, it } from "vitest";
import { fuzzSchemas } from "../grammar/schema/fuzz-schemas.ts";

it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])("1,000 schemas, seed %i", (seed) => {
  const { compiled, texts, refused } = fuzzSchemas(1000, seed);
  expect(compiled, JSON.stringify([...refused])).toBeGreaterThan(500);
  expect(texts).toBeGreaterThan(compiled);
});
