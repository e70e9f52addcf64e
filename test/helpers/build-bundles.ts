/**
 * vitest's globalSetup: makes the bundles in dist/ and dist/crumb.gguf when they are missing or older than their sources.
 * @module
 */
import { buildIfStale, filesOf } from "./build-wasm.ts";

export default function buildBundles(): void {
  const sources = [...filesOf("src"), ...filesOf("weights-tools"), "scripts/build.mjs", "package.json"];
  buildIfStale(["bundles"], ["dist/index.js", "dist/cli.js", "dist/thread.js"], sources);
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
