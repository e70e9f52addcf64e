/**
 * Serves the playground (examples/playground) and the files that its page loads from the package itself.
 * @module
 */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".jsonl": "application/jsonl; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};
const HEADERS = {
  // Cross-origin isolation: without it a browser gives the page no threads.
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "content-security-policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; connect-src 'self' https:",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};
/** Where the page is. All its files are below it, so that its service worker controls nothing else of the origin. */
const PAGE = "/playground/";

/** Redirects a browser that asks for `/` to the playground. */
export function toPlayground(): Response {
  return new Response(null, { status: 302, headers: { location: PAGE.slice(1) } });
}

/** Answers requests for the playground's files, which need no key, and passes all others to the handler. */
export function withPlayground(
  handler: (request: Request) => Promise<Response>,
): (request: Request) => Promise<Response> {
  const folder = new URL(".", import.meta.url);
  const list = readFileSync(new URL("playground/files.json", folder), "utf8");
  const files: ReadonlySet<string> = new Set(JSON.parse(list) as string[]);
  return async (request) => {
    const { pathname } = new URL(request.url);
    const name = pathname === PAGE ? "index.html" : pathname.slice(PAGE.length);
    const found = pathname.startsWith(PAGE) && files.has(name);
    if (!["GET", "HEAD"].includes(request.method) || !found) return handler(request);
    const bytes = await readFile(fileURLToPath(new URL(name, folder)));
    const headers = { ...HEADERS, "content-type": TYPES[extname(name)] ?? "application/octet-stream" };
    return new Response(request.method === "GET" ? bytes : null, {
      headers: { ...headers, "content-length": `${bytes.length}` },
    });
  };
}
