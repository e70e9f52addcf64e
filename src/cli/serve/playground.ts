/**
 * Serves the playground (examples/playground) and the files that its page loads from the package itself.
 * @module
 */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".jsonl": "application/jsonl; charset=utf-8",
  ".wasm": "application/wasm",
};
const HEADERS = {
  // Cross-origin isolation: without it a browser gives the page no threads.
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "content-security-policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src data:; connect-src 'self' https:",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};
const PAGE = "/playground/";
/** Besides the page: the bundle for browsers with its chunks and workers, the wasm builds, and crumb with its problems. */
const SERVED =
  /^(?:[\w-]+\.js|crumb\.gguf|crumb-problems\.jsonl|wasm\/(?:simd|relaxed|threads)\.wasm|playground\/[\w-]+\.(?:html|css|js))$/;

/** Redirects a browser that asks for `/` to the playground. */
export function toPlayground(): Response {
  return new Response(null, { status: 302, headers: { location: PAGE } });
}

/** Answers requests for the playground's files, which need no key, and passes all others to the handler. */
export function withPlayground(
  handler: (request: Request) => Promise<Response>,
): (request: Request) => Promise<Response> {
  const folder = new URL(".", import.meta.url);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
  const files = new Set(names.filter((name) => SERVED.test(name)));
  return async (request) => {
    const { pathname } = new URL(request.url);
    const name = (pathname === PAGE ? `${PAGE}index.html` : pathname).slice(1);
    if (!["GET", "HEAD"].includes(request.method) || !files.has(name)) return handler(request);
    const bytes = await readFile(fileURLToPath(new URL(name, folder)));
    const headers = { ...HEADERS, "content-type": TYPES[extname(name)] ?? "application/octet-stream" };
    return new Response(request.method === "GET" ? bytes : null, {
      headers: { ...headers, "content-length": `${bytes.length}` },
    });
  };
}
