import { expect, it } from "vitest";
import { fuzz } from "./fuzz.ts";

it("2,000 fuzzed bodies: never 500, and the same answer to the same question", async () => {
  const statuses = await fuzz(2000, 1);
  // Bodies that are all refused would show nothing.
  expect(statuses.get(200)).toBeGreaterThan(300);
  expect(statuses.get(400)).toBeGreaterThan(500);
});
