import { expect, it } from "vitest";
import { fuzz } from "../server/fuzz.ts";

it("50,000 fuzzed bodies: never 500, and the same answer to the same question", async () => {
  const statuses = await fuzz(50_000, Number(process.env.NIBBLE_SEED ?? 2));
  console.log(Object.fromEntries(statuses));
  expect(statuses.get(200)).toBeGreaterThan(10_000);
});
