/** `plan` tells from the header alone what `load` will take. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createLoad, createPlan } from "../../src/load/create-load.ts";
import { architectures, testHost } from "../helpers/models.ts";

const load = createLoad(testHost);
const plan = createPlan(testHost);
const file = new Uint8Array(readFileSync(join(architectures, "llama/model.gguf")));

describe.each([{}, { contextLength: 64, kvType: "f32" }, { contextLength: 32, threads: 2, name: "two" }] as const)(
  "with %o",
  (options) => {
    it("is what `load` takes", async () => {
      const { name, architecture, contextLength, threads, memory } = await plan(file, options);
      const { info, dispose } = await load(file, options);
      dispose();
      expect({ name, architecture, contextLength, threads, memory }).toEqual({
        name: info.name,
        architecture: info.architecture,
        contextLength: info.contextLength,
        threads: info.threads,
        memory: info.memory,
      });
      const { constants, program, tables, activations, kvCache, weights, total } = memory;
      expect(constants + program + tables + activations + kvCache + weights).toBe(total);
    });
  },
);

it("reads no weight, and closes the file", async () => {
  const { memory } = await plan(file);
  let end = 0;
  let closed = 0;
  await plan({
    size: file.length,
    async read(offset, length) {
      end = Math.max(end, offset + length);
      return file.slice(offset, offset + length);
    },
    async close() {
      closed++;
    },
  });
  expect(end).toBeLessThan(file.length - memory.weights / 2);
  expect(closed).toBe(1);
});

it("refuses a model that does not fit, with the numbers of bytes", async () => {
  await expect(plan(file, { memoryLimit: 2 ** 20 })).rejects.toMatchObject({
    code: "out_of_memory",
    message: expect.stringMatching(/expected at most 1\.0 MiB, the plan takes [\d.]+ MiB/),
  });
});

it("a host that ends large programs has a limit of its own, unless the caller sets one", async () => {
  const reason = "A smaller model is needed.";
  const planHere = createPlan({ ...testHost, memory: { limit: 2 ** 20, reason } });
  await expect(planHere(file)).rejects.toMatchObject({
    code: "out_of_memory",
    message: expect.stringMatching(/^expected at most 1\.0 MiB.* A smaller model is needed\.$/),
  });
  expect((await planHere(file, { memoryLimit: 2 ** 30 })).memory).toEqual((await plan(file)).memory);
  await expect(planHere(file, { memoryLimit: 2 ** 10 })).rejects.not.toThrow(reason);
});
