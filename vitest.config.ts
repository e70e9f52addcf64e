import { defineConfig } from "vitest/config";

/** Builds what tests read: `dist/` is made anew where a source is newer. */
const globalSetup = ["test/helpers/build-wasm.ts", "test/helpers/build-bundles.ts"];
/** Tests of at most some seconds; the time limit is for machines that others use too. */
const quick = { globalSetup, testTimeout: 120_000, maxWorkers: 2, sequence: { groupOrder: 0 } };
/** Tests that need a download or minutes of computing, one file at a time. */
const slow = {
  globalSetup,
  testTimeout: 20 * 60_000,
  hookTimeout: 20 * 60_000,
  maxWorkers: 1,
  sequence: { groupOrder: 1 },
};

/** Packages that slow tests install beside themselves have tests of their own. */
const installed = ["**/node_modules/**"];

/** What the projects prove: test/README.md. `npm test` runs the first two, `npm run test:slow` the last two. */
export default defineConfig({
  test: {
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
      {
        test: {
          ...slow,
          name: "slow",
          include: ["test/slow/**/*.test.ts"],
          exclude: [...installed, "test/slow/hosts/**"],
        },
      },
      { test: { ...slow, name: "hosts", include: ["test/slow/hosts/**/*.test.ts"] } },
    ],
  },
});
