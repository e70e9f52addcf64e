/** The cases of the embedded model. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { casesOf, runCase, startServe } from "./run.ts";

describe.each([...casesOf("crumb")])("nibble serve crumb %s", (flags, cases) => {
  let server: Awaited<ReturnType<typeof startServe>>;
  beforeAll(async () => {
    server = await startServe("crumb", flags);
  });
  afterAll(() => server.stop());

  it.each(cases.map((one) => [one.id, one.why, one] as const))("%s: %s", async (_, __, one) => {
    expect(await runCase(server.url, one)).toBeUndefined();
  });
});
