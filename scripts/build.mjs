// Builds everything that the package ships: wasm, bundles, types, the embedded model. `node scripts/build.mjs [part ...]`
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ASSETS, declarations, ENTRIES, GLOBAL_TYPES, moduleOf } from "./entries.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
mkdirSync("dist/wasm", { recursive: true });

/** Declarations of every module that tsc has read, from which those of the package are put together. */
const MODULE_TYPES = "dist/.build/types";

/** Bundles the declarations of the entries, which leaves out what they do not use: half of the compressed size. */
async function bundleTypes(sources) {
  const { rollup } = await import("rollup");
  const { dts } = await import("rollup-plugin-dts");
  const names = sources.map(moduleOf);
  const bundle = await rollup({
    input: Object.fromEntries(names.map((name) => [name, `${MODULE_TYPES}/${name}.d.ts`])),
    plugins: [dts({ compilerOptions: { allowImportingTsExtensions: true, noEmit: true } })],
    // An entry need not export every type that its functions take.
    onwarn: ({ plugin, message }) => {
      if (plugin !== "dts" || !message.includes("no public re-export")) throw new Error(message);
    },
  });
  await bundle.write({
    dir: "dist/types",
    entryFileNames: "[name].d.ts",
    chunkFileNames: "shared/[name].ts",
    // rollup drops this line of the modules that use Symbol.dispose.
    banner: '/// <reference lib="esnext.disposable" />',
  });
  await bundle.close();
}

/** Folders of the packages among the sources of a bundle. */
function packagesOf(sources) {
  const folders = sources.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(folders.filter(Boolean))].sort();
}

const manifestOf = (folder) => JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));

/** The licences of packages that are bundled, which ask to be passed on with the bundle. */
function licensesOf(folders) {
  const texts = folders.map((folder) => {
    const { name, version } = manifestOf(folder);
    const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
    if (file === undefined) throw new Error(`${name} is bundled and has no file with its licence`);
    return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

/**
 * The bill of materials of what is bundled, in CycloneDX's form (https://cyclonedx.org/docs/1.5/json), as `npm sbom` makes
 * it of the whole tree: with its dependencies alone the package would have none, and with those for development all. The
 * time and the random serial number are left out, so that the same sources give the same file.
 */
function billOfMaterials(folders) {
  const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"];
  const { stdout, stderr, status } = spawnSync("npm", args, { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`npm ${args.join(" ")}: ${stderr}`);
  const { serialNumber: _, metadata, components, ...bill } = JSON.parse(stdout);
  const { timestamp: __, tools: ___, ...about } = metadata;
  const bundled = folders.map((folder) => {
    const { name, version } = manifestOf(folder);
    const found = components.find((one) => one.name === name && one.version === version);
    if (found === undefined) throw new Error(`npm sbom does not list ${name} ${version}, which is bundled`);
    const { properties: ____, ...component } = found;
    return { ...component, scope: "required" };
  });
  about.component.name = manifestOf(".").name;
  const root = about.component["bom-ref"];
  const dependencies = [{ ref: root, dependsOn: bundled.map((one) => one["bom-ref"]) }];
  return { ...bill, metadata: about, components: bundled, dependencies };
}

/** The files that the playground's page loads, and that these load, without its service worker: paths below dist/. */
function filesOfPage() {
  const files = new Set();
  const open = ["index.html"];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file) || file === "service-worker.js") continue;
    files.add(file);
    if (!/\.(?:html|js|webmanifest)$/.test(file)) continue;
    const named = /(?:from|import\(?|URL\()\s*"(\.[^"]+)"|(?:href=|src[=:])\s*"([^"]+)"/g;
    for (const [, module, link] of readFileSync(`dist/${file}`, "utf8").matchAll(named))
      open.push(join(dirname(file), module ?? link));
  }
  return [...files].sort();
}

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
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    const { stdout } = spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" });
    const commit = stdout?.trim() || "unknown";
    const old = readdirSync("dist").filter((name) => /(?<!^service-worker)\.js(?:\.LEGAL\.txt)?$/.test(name));
    // The bundles are minified, which saves a quarter of their compressed size. Lines are short, because Node prints the
    // whole line of an uncaught error. Code that several entries share is in chunks beside them, so that every entry can
    // find wasm and crumb relative to its own file.
    const entryPoints = (ending) =>
      Object.fromEntries(ENTRIES.filter((one) => one.standalone === ending).map((one) => [one.name, one.source]));
    const options = {
      outdir: "dist",
      bundle: true,
      minify: true,
      lineLimit: 160,
      chunkNames: "[name]-[hash]",
      format: "esm",
      target: "es2022",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: ["import"],
      external: ["node:*", "./wasm/*"],
      legalComments: "linked",
      define: { NIBBLE_VERSION: JSON.stringify(version), NIBBLE_COMMIT: JSON.stringify(commit) },
      metafile: true,
    };
    const parts = [
      await build({ ...options, entryPoints: entryPoints(undefined), splitting: true }),
      await build({ ...options, entryPoints: entryPoints(".js") }),
      await build({ ...options, entryPoints: entryPoints(".mjs"), outExtension: { ".js": ".mjs" } }),
    ];
    const outputs = Object.assign({}, ...parts.map(({ metafile }) => metafile.outputs));
    // No line may end within `import.meta.url`, because Vite finds files and workers by a pattern on one line.
    for (const name of Object.keys(outputs).filter((name) => name.endsWith(".js"))) {
      const text = readFileSync(name, "utf8");
      writeFileSync(name, text.replace(/import\s*\.\s*meta\s*\.\s*url/g, "import.meta.url"));
    }
    for (const name of old) if (!outputs[`dist/${name}`]) rmSync(`dist/${name}`, { force: true });
    const bundled = packagesOf(parts.flatMap(({ metafile }) => Object.keys(metafile.inputs)));
    writeFileSync("dist/third-party-licenses.txt", licensesOf(bundled));
    mkdirSync("dist/.build", { recursive: true });
    writeFileSync("dist/.build/bundled.json", JSON.stringify(bundled));
    const total = Object.values(outputs).reduce((sum, { bytes }) => sum + bytes, 0);
    console.log(`dist/*.js  ${Object.keys(outputs).length} files, ${total} bytes`);
  },

  async sbom() {
    const bill = billOfMaterials(JSON.parse(readFileSync("dist/.build/bundled.json", "utf8")));
    writeFileSync("dist/sbom.cdx.json", `${JSON.stringify(bill, null, 2)}\n`);
    console.log(`dist/sbom.cdx.json  ${bill.components.length} components`);
  },

  async manual() {
    const { stdout, stderr, status } = spawnSync(process.execPath, ["dist/cli.js", "manual"], { encoding: "utf8" });
    if (status !== 0) throw new Error(`nibble manual: ${stderr}`);
    writeFileSync("dist/nibble.1", stdout);
  },

  async model() {
    // The converter is TypeScript, which Node 20 does not run, so it is bundled first.
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
    // The problems with their answers, without what crumb wrote: the data of `nibble eval crumb-problems`.
    const problems = readFileSync("models/crumb/problems.jsonl", "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const lines = problems.map(({ question, gold }) => `${JSON.stringify({ question, gold })}\n`);
    writeFileSync("dist/crumb-problems.jsonl", lines.join(""));
  },

  async playground() {
    const { build } = await import("esbuild");
    const page = "examples/playground";
    rmSync("dist/playground", { recursive: true, force: true });
    // The page imports the library's bundles for browsers, which lie beside it.
    const evaluation = {
      name: "evaluation",
      setup({ onResolve }) {
        onResolve({ filter: /\/evaluate-in-worker\.ts$/ }, () => ({
          path: "../evaluate-in-worker.js",
          external: true,
        }));
      },
    };
    const options = { outdir: "dist", bundle: true, minify: true, format: "esm", target: "es2022" };
    // The service worker's scope is its folder, so it lies above all files of the page, and the page beside it.
    const inside = ["main.ts", "files-worker.ts", "style.css", "manifest.webmanifest", "icon.svg", "icon.png"];
    const entry = (file, folder) => ({ in: `${page}/${file}`, out: folder + file.replace(/\.\w+$/, "") });
    await build({
      ...options,
      entryPoints: [entry("index.html", ""), ...inside.map((file) => entry(file, "playground/"))],
      splitting: true,
      chunkNames: "playground/[name]-[hash]",
      loader: { ".html": "copy", ".webmanifest": "copy", ".svg": "copy", ".png": "copy" },
      plugins: [evaluation],
      alias: { "nibble-llm/browser": "../browser.js" },
      external: ["../browser.js"],
    });
    const files = filesOfPage();
    const hash = createHash("sha256");
    for (const file of files) hash.update(file).update(readFileSync(`dist/${file}`));
    const define = { FILES: JSON.stringify(files), VERSION: JSON.stringify(hash.digest("hex").slice(0, 16)) };
    await build({ ...options, entryPoints: [`${page}/service-worker.ts`], define });
    writeFileSync("dist/playground/files.json", JSON.stringify([...files, "service-worker.js"]));
    const own = files.filter((file) => file.startsWith("playground/")).concat("index.html", "service-worker.js");
    const total = own.reduce((sum, file) => sum + statSync(`dist/${file}`).size, 0);
    console.log(`dist/playground  ${own.length} files, ${total} bytes`);
  },

  async types() {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const config = join(root, "dist/.build/tsconfig.json");
    mkdirSync(dirname(config), { recursive: true });
    const files = ENTRIES.filter(({ subpath, kilobytes }) => subpath || kilobytes).map(({ source }) => source);
    const options = {
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        emitDeclarationOnly: true,
        rootDir: join(root, "src"),
        outDir: join(root, MODULE_TYPES),
        typeRoots: [join(root, "node_modules/@types")],
      },
      include: [...files, "src/**/*.d.ts"].map((path) => join(root, path)),
    };
    writeFileSync(config, JSON.stringify(options));
    for (const folder of ["dist/types", MODULE_TYPES]) rmSync(folder, { recursive: true, force: true });
    const { status } = spawnSync(process.execPath, [tsc, "-p", config], { stdio: "inherit" });
    if (status !== 0) throw new Error("tsc failed");
    copyFileSync(GLOBAL_TYPES, GLOBAL_TYPES.replace(/^src/, MODULE_TYPES));
    await bundleTypes(ENTRIES.filter(({ kilobytes }) => kilobytes).map(({ source }) => source));
    for (const types of Object.values(ASSETS)) copyFileSync(types, declarations(types));
    // An entry that runs in a worker declares nothing.
    for (const { subpath, kilobytes, source } of ENTRIES) {
      if (!subpath || kilobytes) continue;
      mkdirSync(dirname(declarations(source)), { recursive: true });
      writeFileSync(declarations(source), "export {};\n");
    }
  },
};

const wanted = process.argv.slice(2);
for (const [name, make] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await make();
