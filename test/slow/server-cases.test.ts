/** The cases of requests that need a real model. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchOrSkip } from "../helpers/real-model.ts";
import { casesOf, runCase, startServe } from "../server/cases/run.ts";

const MODELS = [
  ["smollm2", "smollm2-135m-instruct-q4_1", false],
  ["qwen2", "qwen2.5-coder-0.5b-instruct-q4_k_m", true],
] as const;

for (const [name, file, large] of MODELS) {
  const path = await fetchOrSkip(file, large);
  for (const [flags, cases] of casesOf(name))
    describe.skipIf(path === "")(`nibble serve ${name} ${flags}`, () => {
      let server: Awaited<ReturnType<typeof startServe>>;
      beforeAll(async () => {
        server = await startServe(path, flags);
      });
      afterAll(() => server?.stop());

      it.each(cases.map((one) => [one.id, one.why, one] as const))("%s: %s", async (_, __, one) => {
        expect(await runCase(server.url, one)).toBeUndefined();
      });
    });
}
