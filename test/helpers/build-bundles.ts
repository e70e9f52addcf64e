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
  const page = ["html", "css", "ts"].flatMap((ending) => filesOf("examples/playground", `.${ending}`));
  buildIfStale(["playground"], ["dist/playground/main.js"], [...page, "scripts/build.mjs"]);
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
}
