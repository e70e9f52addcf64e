/** The package's entries as a user's bundler makes them: one file, from dist/. */
import { join } from "node:path";
import { build } from "esbuild";
import { ENTRIES } from "../../scripts/entries.mjs";
import { root } from "../helpers/models.ts";

/** The entries that users import; those of workers and the command line run by themselves. */
export const IMPORTED = ENTRIES.filter(({ kilobytes }) => kilobytes !== undefined);

/** One script that leaves the entry's exports in the global `entry`. */
export async function bundle(name: string, minify: boolean): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, `dist/${name}.js`)],
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
