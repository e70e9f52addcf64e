/**
 * The files that the package's users import or start: one list, from which come the bundles and declarations
 * (build.mjs), the exports of package.json, knip's entries (knip.ts) and the size limits (test/hosts/sizes.test.ts).
 *
 * `node scripts/entries.mjs` writes the exports into package.json; test/hosts/entries.test.ts says when they differ.
 *
 * @typedef {object} Entry
 * @property {string} name the bundle is `dist/<name>.js`, or has the ending of `standalone`
 * @property {string} source the module it is bundled from
 * @property {string} [subpath] how users import it: `nibble-llm/<subpath>`; the main entry's conditions are in `MAIN`
 * @property {number} [kilobytes] the limit of its size in 1,000 bytes, bundled by a user's bundler, minified, after
 *   gzip -9
 * @property {".js" | ".mjs"} [standalone] the ending of a bundle without chunks, for a process that may read no other file
 *   (.js), or for tools that copy one file elsewhere, where only .mjs says what it is
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @type {readonly Entry[]} */
export const ENTRIES = [
  // Imported by users.
  { name: "index", source: "src/entries/node.ts", kilobytes: 208 },
  { name: "browser", source: "src/entries/browser.ts", subpath: "browser", kilobytes: 206 },
  { name: "workerd", source: "src/entries/workerd.ts", subpath: "workerd", kilobytes: 191 },
  { name: "tokenizer", source: "src/entries/tokenizer.ts", subpath: "tokenizer", kilobytes: 30 },
  { name: "gguf", source: "src/entries/gguf.ts", subpath: "gguf", kilobytes: 8 },
  { name: "server", source: "src/entries/server.ts", subpath: "server", kilobytes: 58 },
  { name: "ai-sdk", source: "src/entries/ai-sdk.ts", subpath: "ai-sdk", kilobytes: 5 },
  { name: "batch", source: "src/entries/batch.ts", subpath: "batch", kilobytes: 5 },
  // Started by the others, or by npm.
  { name: "model-worker", source: "src/hosts/web-worker/model-worker.ts", subpath: "model-worker" },
  { name: "browser-thread", source: "src/hosts/browser/thread.ts" },
  { name: "thread", source: "src/hosts/node/thread.ts", standalone: ".mjs" },
  { name: "python-child", source: "src/cli/python/child.ts", standalone: ".js" },
  { name: "cli", source: "src/cli/main.ts" },
  { name: "parquet", source: "src/cli/eval/parquet-main.ts" },
  // Loaded by the playground.
  { name: "evaluate-in-worker", source: "src/eval/in-worker/evaluate-in-worker.ts" },
  { name: "eval-worker", source: "src/eval/in-worker/eval-worker.ts" },
];

/** Which entry `import "nibble-llm"` is, by condition in the order of package.json; the last is for all others. */
const MAIN = { workerd: "workerd", deno: "index", bun: "index", browser: "browser", node: "index" };

/** The path of a module below src/, without its ending. */
export const moduleOf = (source) => source.replace(/^src\/(.*?)(\.d)?\.ts$/, "$1");

/** The declarations of a module below src/. */
export const declarations = (source) => `./dist/types/${moduleOf(source)}.d.ts`;

/** The `exports` of package.json. */
export function packageExports() {
  const types = (name) => declarations(ENTRIES.find((entry) => entry.name === name).source);
  const file = (name) => ({ types: types(name), default: `./dist/${name}.js` });
  const main = Object.entries(MAIN).map(([condition, name]) => [condition, file(name)]);
  return {
    ".": { ...Object.fromEntries(main), types: types("index"), default: "./dist/browser.js" },
    ...Object.fromEntries(
      ENTRIES.filter(({ subpath }) => subpath).map(({ subpath, name }) => [`./${subpath}`, file(name)]),
    ),
    ...Object.fromEntries(
      Object.entries(ASSETS).map(([file, types]) => [
        `./${file}`,
        { types: declarations(types), default: `./dist/${file}` },
      ]),
    ),
    "./package.json": "./package.json",
  };
}

/** Declarations that tsc does not copy. */
export const GLOBAL_TYPES = "src/entries/globals.d.ts";

/** The files that bundlers of Workers import as values, and the declarations of these. */
export const ASSETS = { "wasm/*": "src/entries/wasm.d.ts", "crumb.gguf": "src/entries/crumb.d.ts" };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = new URL("../package.json", import.meta.url);
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  manifest.exports = packageExports();
  manifest.types = manifest.exports["."].types;
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
}
