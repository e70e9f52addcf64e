/** The package's entries as a user's bundler makes them: one file, from dist/. */
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "../helpers/models.ts";

/** Entries that are imported; those of workers and the command line run by themselves. */
export const ENTRIES = ["index", "browser", "workerd", "tokenizer", "gguf", "server", "ai-sdk"] as const;

/** One script that leaves the entry's exports in the global `entry`. */
export async function bundle(entry: (typeof ENTRIES)[number], minify: boolean): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, `dist/${entry}.js`)],
    bundle: true,
    minify,
    format: "iife",
    globalName: "entry",
    target: "es2022",
    external: ["node:*"],
    loader: { ".wasm": "empty" },
    legalComments: "none",
    logLevel: "error",
    logOverride: { "empty-import-meta": "silent" },
    write: false,
  });
  return outputFiles[0]!.text;
}
