import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Builds what tests read: `dist/` is made anew where a source is newer. */
const globalSetup = ["test/helpers/build-wasm.ts", "test/helpers/build-bundles.ts"];
/** Tests of at most some seconds; the time limit is for machines that others use too. */
const quick = { globalSetup, testTimeout: 300_000, maxWorkers: 2, sequence: { groupOrder: 0 } };
/** Tests that need a download or minutes of computing. */
const long = { globalSetup, testTimeout: 20 * 60_000, hookTimeout: 20 * 60_000 };
/** One file at a time: they measure memory or time, drive browsers, hold thousands of connections, or kill at random moments. */
const alone = { ...long, maxWorkers: 1, sequence: { groupOrder: 2 } };

/**
 * The slow tests whose outcome is the same whatever runs beside them. Two of these files run at a time, the longest first,
 * so that no worker waits for the other at the end.
 */
const computing = [
  ...["python/escapes", "python/verdicts", "clients/lm-eval-tasks", "llama-server/llama-server", "server-fuzz"],
  ...["template-fuzz", "tokenizer-speed", "clients/clients", "documentation-site", "crumb-problems", "schema-fuzz"],
  ...["llama-cpp", "gemma3", "qwen2.5", "smollm2", "minilm", "server-cases"],
].map((name) => `test/slow/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = computing.findIndex((path) => moduleId.endsWith(path));
      return found < 0 ? computing.length : found;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

/** Packages that slow tests install beside themselves have tests of their own. */
const installed = ["**/node_modules/**"];

/** What the projects prove: test/README.md. `npm test` runs the first two, `npm run test:slow` the others. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...quick,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...installed, "test/kernels/**", "test/slow/**"],
        },
      },
      { test: { ...quick, name: "kernels", include: ["test/kernels/**/*.test.ts"] } },
      // The two programs of a concurrent test are for two Nodes.
      {
        test: {
          ...long,
          name: "computing",
          include: computing,
          maxWorkers: 2,
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...alone,
          name: "slow",
          include: ["test/slow/**/*.test.ts"],
          exclude: [...installed, ...computing, "test/slow/hosts/**"],
        },
      },
      { test: { ...alone, name: "hosts", include: ["test/slow/hosts/**/*.test.ts"] } },
    ],
  },
});
