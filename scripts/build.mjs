// Builds everything that the package ships: wasm, bundles, types, the embedded model. `node scripts/build.mjs [part ...]`
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
mkdirSync("dist/wasm", { recursive: true });

const parts = {
  async wasm() {
    const { default: asc } = await import("assemblyscript/asc");
    const entries = { simd: "index", relaxed: "index", threads: "index", debug: "debug", limits: "limits" };
    for (const [target, file] of Object.entries(entries)) {
      const entry = `assembly/${file}.ts`;
      const { error, stderr } = await asc.main([entry, "--config", "asconfig.json", "--target", target]);
      if (error) throw new Error(`asc, target ${target}: ${error.message}\n${stderr}`);
      console.log(`dist/wasm/${target}.wasm  ${statSync(`dist/wasm/${target}.wasm`).size} bytes`);
    }
  },

  async bundles() {
    const { build } = await import("esbuild");
    // Not minified: Node prints the line of an uncaught error, and a minified bundle is one line of 180 kB. It costs 27 kB
    // of a compressed package of 3.7 MB; source maps would cost 205 kB, and Node reads them only when told.
    const common = { bundle: true, format: "esm", target: "es2022", external: ["node:*"], legalComments: "linked" };
    const node = { ...common, platform: "neutral", mainFields: ["module", "main"], conditions: ["import"] };
    await build({ ...node, entryPoints: { index: "src/index.ts" }, outdir: "dist" });
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    const { stdout } = spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" });
    const commit = stdout?.trim() || "unknown";
    const old = readdirSync("dist").filter((name) => /^cli-.*\.js$/.test(name));
    // Chunks stay beside the entry: the host finds wasm and crumb relative to its own file.
    const { metafile } = await build({
      ...node,
      entryPoints: { cli: "src/cli/main.ts" },
      outdir: "dist",
      splitting: true,
      chunkNames: "cli-[name]-[hash]",
      define: { NIBBLE_VERSION: JSON.stringify(version), NIBBLE_COMMIT: JSON.stringify(commit) },
      metafile: true,
    });
    for (const name of old) if (!metafile.outputs[`dist/${name}`]) rmSync(`dist/${name}`);
    await build({ ...node, entryPoints: { thread: "src/hosts/node-thread.ts" }, outdir: "dist" });
    for (const file of ["dist/index.js", "dist/cli.js"]) console.log(`${file}  ${statSync(file).size} bytes`);
  },

  async model() {
    // The converter is TypeScript: bundled first, so that every Node >= 20 can run it.
    const { build } = await import("esbuild");
    const outfile = "dist/.build/convert-crumb.mjs";
    await build({
      entryPoints: ["scripts/convert-crumb.ts"],
      bundle: true,
      format: "esm",
      platform: "node",
      outfile,
      logLevel: "error",
    });
    const { convertCrumb } = await import(join(root, outfile));
    await convertCrumb("models/crumb", "dist/crumb.gguf", "q8_0");
    console.log(`dist/crumb.gguf  ${statSync("dist/crumb.gguf").size} bytes`);
  },

  async types() {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.types.json"], { stdio: "inherit" });
    if (status !== 0) throw new Error("tsc failed");
  },
};

const wanted = process.argv.slice(2);
for (const [name, make] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await make();
