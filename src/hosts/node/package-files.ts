/**
 * The files of the package that lie beside its bundles: wasm, crumb, and the script of a helping thread. A bundler that
 * takes the code into a bundle of its own leaves them in node_modules, where they are found too.
 *
 * The form of the URLs matters. @vercel/nft, by which Next.js, Nuxt and Vercel copy a server's files, finds a URL that is
 * written out as the argument of a call. webpack must not find it: it would make of it a path of the site, from which no file
 * can be read. It looks for `import.meta.url` as it is, so here it stands in a template; webpack then puts the module's own
 * place into it, and the files are read from node_modules.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { version } from "../../base/version.ts";
import type { Build } from "../../runtime/kernels.ts";
import { isMissing } from "./io.ts";

/** The path of a URL of a file. A bundler's own class of URLs is accepted, which Node's functions refuse. */
export async function filePath(url: URL | string): Promise<string> {
  const { fileURLToPath } = await import("node:url");
  return fileURLToPath(String(url));
}

const BESIDE = {
  "wasm/simd.wasm": async () => filePath(new URL("./wasm/simd.wasm", `${import.meta.url}`)),
  "wasm/relaxed.wasm": async () => filePath(new URL("./wasm/relaxed.wasm", `${import.meta.url}`)),
  "wasm/threads.wasm": async () => filePath(new URL("./wasm/threads.wasm", `${import.meta.url}`)),
  "crumb.gguf": async () => filePath(new URL("./crumb.gguf", `${import.meta.url}`)),
  "thread.mjs": async () => filePath(new URL("./thread.mjs", `${import.meta.url}`)),
} as const;

/**
 * The path of a file: beside this code, or in the installed package of the same version.
 * @throws NibbleError `missing_file` that says what a bundler must be told
 */
async function packageFile(name: keyof typeof BESIDE): Promise<string> {
  const { stat } = await import("node:fs/promises");
  const isFile = (path: string): Promise<boolean> =>
    stat(path).then(
      (stats) => stats.isFile(),
      (error) => !isMissing(error), // Deno without the right to read: opening the file says which right it needs
    );
  const beside = await BESIDE[name]().catch(() => undefined);
  if (beside !== undefined && (await isFile(beside))) return beside;
  const others = await placesOfBundle(name);
  for (const path of others) if (await isFile(path)) return path;
  throw new NibbleError(
    "missing_file",
    `expected nibble-llm's file ${name} at ${beside ?? others[0]}: a bundler has taken the package's code without its files. Keep nibble-llm out of the bundle ("external") and version ${version} of it in node_modules, or copy crumb.gguf, thread.mjs and the folder wasm from its folder dist to beside the bundle`,
  );
}

/** Where a file may be if this code stands in somebody's bundle. One of CommonJS has `__filename`, and no `import.meta.url`. */
async function placesOfBundle(name: string): Promise<string[]> {
  const { createRequire } = await import("node:module");
  const { dirname, join } = await import("node:path");
  const bundle = typeof __filename === "string" ? [__filename] : [];
  const places = bundle.map((file) => join(dirname(file), name));
  for (const from of [`${import.meta.url}`, ...bundle, join(process.cwd(), "package.json")])
    try {
      const find = createRequire(from);
      const manifest = find.resolve("nibble-llm/package.json");
      if (find(manifest).version === version) places.push(join(dirname(manifest), "dist", name));
    } catch {
      // The next place, or the error of the caller.
    }
  return places;
}

/** The bytes of a wasm build. */
export async function wasmBytes(build: Build): Promise<Uint8Array<ArrayBuffer>> {
  const { readFile } = await import("node:fs/promises");
  return new Uint8Array(await readFile(await packageFile(`wasm/${build}.wasm`)));
}

export const crumbPath = (): Promise<string> => packageFile("crumb.gguf");

/** The script of a helping thread: a file by itself that ends in .mjs, so that it runs wherever a tool copies it. */
export const threadPath = (): Promise<string> => packageFile("thread.mjs");
