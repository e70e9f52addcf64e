import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/slow/**"],
    globalSetup: ["test/helpers/build-wasm.ts", "test/helpers/build-bundles.ts"],
    testTimeout: 120_000,
    maxWorkers: 2,
  },
});
