import { defineConfig } from "vitest/config";

/** Tests that need a download or minutes of computing: `npm run test:slow`. */
export default defineConfig({
  test: {
    include: ["test/slow/**/*.test.ts"],
    globalSetup: ["test/helpers/build-wasm.ts", "test/helpers/build-bundles.ts"],
    testTimeout: 20 * 60_000,
    hookTimeout: 20 * 60_000,
    maxWorkers: 1,
  },
});
