/**
 * vitest's globalSetup: makes the bundles and declarations in dist/, and dist/crumb.gguf, when they are missing or older than their sources.
 * @module
 */
import { buildIfStale, filesOf } from "./build-wasm.ts";

export default function buildBundles(): void {
  const sources = [
    ...filesOf("src"),
    ...filesOf("weights-tools"),
    "scripts/build.mjs",
    "scripts/entries.mjs",
    "package.json",
  ];
  buildIfStale(["bundles"], ["dist/index.js", "dist/cli.js", "dist/thread.mjs"], sources);
  buildIfStale(["types"], ["dist/types/entries/node.d.ts"], sources);
  buildIfStale(
    ["model"],
    ["dist/crumb.gguf"],
    [
      ...sources,
      "scripts/convert-crumb.ts",
      "models/crumb/config.json",
      "models/crumb/model.safetensors",
      "models/crumb/tokenizer.json",
    ],
  );
  const page = filesOf("examples/playground", "").filter((path) => !path.endsWith(".md"));
  const loaded = ["dist/browser.js", "dist/crumb.gguf"]; // the service worker has a hash of them
  buildIfStale(["playground"], ["dist/service-worker.js"], [...page, ...loaded, "scripts/build.mjs"]);
}
