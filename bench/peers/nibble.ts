/**
 * nibble as a contender: `node nibble.ts MODEL BUILD THREADS`.
 * @module
 */
import process from "node:process";
import { prepareTest } from "../../src/cli/throughput.ts";
import { loadExecutor, openCheckpoint } from "../../src/load.ts";
import type { Build } from "../../src/runtime/kernels.ts";
import { testHost } from "../../test/helpers/models.ts";
import { serve } from "./contender.ts";

const [model = "", build = "", threads = ""] = process.argv.slice(2);

await serve(async () => {
  const checkpoint = await openCheckpoint(model, testHost);
  const options = { build: build as Build, threads: Number(threads), contextLength: 1024 };
  const executor = await loadExecutor(checkpoint, testHost, options);
  await checkpoint.close();
  return {
    about: `Node ${process.version}, WebAssembly, ${build} build`,
    async run({ kind, tokens }) {
      const test = { prompt: kind === "prompt" ? tokens : 0, gen: kind === "decode" ? tokens : 0, depth: 0 };
      const { run, dispose } = prepareTest(executor, test);
      const nanoseconds = run();
      dispose();
      return nanoseconds / 1e9;
    },
  };
});
