/**
 * The files of the package that lie beside its bundles: wasm, crumb, and the script of a helping thread.
 *
 * The form of the URLs matters. @vercel/nft, by which Next.js, Nuxt and Vercel copy a server's files, finds a URL that is
 * written out as the argument of a call. webpack must not find it: it would make of it a path of the site, from which no file
 * can be read. It looks for `import.meta.url` as it is, so here it stands in a template; webpack then puts the module's own
 * place into it, and the files are read from node_modules.
 * @module
 */
import type { Build } from "../../runtime/kernels.ts";

/** The path of a URL of a file. A bundler's own class of URLs is accepted, which Node's functions refuse. */
export async function filePath(url: URL | string): Promise<string> {
  const { fileURLToPath } = await import("node:url");
  return fileURLToPath(String(url));
}

const wasmPaths: Readonly<Record<Build, () => Promise<string>>> = {
  simd: () => filePath(new URL("./wasm/simd.wasm", `${import.meta.url}`)),
  relaxed: () => filePath(new URL("./wasm/relaxed.wasm", `${import.meta.url}`)),
  threads: () => filePath(new URL("./wasm/threads.wasm", `${import.meta.url}`)),
};

/** The bytes of a wasm build. */
export async function wasmBytes(build: Build): Promise<Uint8Array<ArrayBuffer>> {
  const { readFile } = await import("node:fs/promises");
  return new Uint8Array(await readFile(await wasmPaths[build]()));
}

export const crumbPath = (): Promise<string> => filePath(new URL("./crumb.gguf", `${import.meta.url}`));

/** The script of a helping thread: a file by itself that ends in .mjs, so that it runs wherever a tool copies it. */
export const threadPath = (): Promise<string> => filePath(new URL("./thread.mjs", `${import.meta.url}`));
