/**
 * nibble as a contender: `node nibble.ts MODEL BUILD THREADS REVECTORIZE TESTS`: `true` for vectors of 256 bits, and the
 * tests as JSON.
 * @module
 */
import process from "node:process";
import { prepareTest, type Test } from "../../src/cli/throughput.ts";
import { openCheckpoint } from "../../src/load/checkpoint.ts";
import { loadExecutor } from "../../src/load/executor.ts";
import type { Build } from "../../src/runtime/kernels.ts";
import { testHost } from "../../test/helpers/models.ts";
import { serve } from "./contender.ts";

const [model = "", build = "", threads = "", revectorize = "", json = "[]"] = process.argv.slice(2);
const tests: readonly Test[] = JSON.parse(json);

/** Options under which all tests stay in the cache at once, with whole pages of 64 tokens per conversation. */
function cacheFor(tests: readonly Test[]): { contextLength: number; cacheTokens: number } {
  const lengths = tests.map(({ prompt, gen, depth }) => depth + prompt + gen);
  const pages = tests.map(({ sequences = 1 }, i) => sequences * Math.ceil(lengths[i]! / 64));
  return { contextLength: Math.max(...lengths), cacheTokens: 64 * pages.reduce((sum, count) => sum + count, 0) };
}

await serve(async () => {
  const checkpoint = await openCheckpoint(model, testHost);
  const rows = Math.max(...tests.map(({ sequences = 1 }) => sequences));
  const options = {
    build: build as Build,
    threads: Number(threads),
    revectorize: revectorize === "true",
    ...cacheFor(tests),
    maxLogitRows: Math.max(16, rows),
    maxSequences: tests.reduce((sum, { sequences = 1 }) => sum + sequences, 0),
  };
  const executor = await loadExecutor(checkpoint, testHost, options);
  await checkpoint.close();
  if (options.revectorize !== executor.revectorized) throw new Error("the revectorizer's module failed its check");
  return {
    about: `Node ${process.version}, WebAssembly, ${build} build${options.revectorize ? ", 256 bits" : ""}`,
    async prepare(test) {
      const { run } = prepareTest(executor, test);
      run();
      return async () => {
        const before = executor.waits;
        const seconds = run() / 1e9;
        const after = executor.waits;
        const barriers = after.barriers - before.barriers;
        return { seconds, ...(barriers > 0 && { waits: { barriers, seconds: after.seconds - before.seconds } }) };
      };
    },
  };
});
