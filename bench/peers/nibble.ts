/**
 * nibble as a contender: `node nibble.ts MODEL BUILD THREADS TESTS`, the tests as JSON.
 * @module
 */
import process from "node:process";
import { prepareTest, type Test } from "../../src/cli/throughput.ts";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import { loadExecutor } from "../../src/load/executor.ts";
import type { Build } from "../../src/runtime/kernels.ts";
import { testHost } from "../../test/helpers/models.ts";
import { serve } from "./contender.ts";

const [model = "", build = "", threads = "", tests = "[]"] = process.argv.slice(2);

/** Options under which all tests stay in the cache at once, with whole pages of 64 tokens per conversation. */
function cacheFor(tests: readonly Test[]): { contextLength: number; cacheTokens: number } {
  const lengths = tests.map(({ prompt, gen, depth }) => depth + prompt + gen);
  const pages = tests.map(({ sequences = 1 }, i) => sequences * Math.ceil(lengths[i]! / 64));
  return { contextLength: Math.max(...lengths), cacheTokens: 64 * pages.reduce((sum, count) => sum + count, 0) };
}

await serve(async () => {
  const checkpoint = await openCheckpoint(model, testHost);
  const options = { build: build as Build, threads: Number(threads), ...cacheFor(JSON.parse(tests)) };
  const executor = await loadExecutor(checkpoint, testHost, options);
  await checkpoint.close();
  return {
    about: `Node ${process.version}, WebAssembly, ${build} build`,
    async prepare(test) {
      const { run } = prepareTest(executor, test);
      run();
      return async () => run() / 1e9;
    },
  };
});
