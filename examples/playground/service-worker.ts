/**
 * The page's service worker: the page works without a network once it was loaded, and it is isolated from other origins,
 * which threads need, also where its server cannot send the headers for that.
 *
 * Files come from the network where there is one, so the page is never older than its server. The copies are those of one
 * build. A new build has another script, since the hash of all files is in it, and its copies replace the old ones when
 * they are complete.
 * @module
 */

/** The page's files, relative to this script, and a hash of their contents; `scripts/build.mjs` fills them in. */
declare const FILES: readonly string[];
declare const VERSION: string;

/** An event of a service worker (https://w3c.github.io/ServiceWorker). */
interface WorkerEvent extends Event {
  waitUntil(done: Promise<unknown>): void;
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

/** What the scope of a service worker has beside that of a page, as far as it is used here. */
interface WorkerScope {
  addEventListener(type: "install" | "activate" | "fetch", listener: (event: WorkerEvent) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
}

const worker = globalThis as unknown as WorkerScope;
const base = new URL(".", location.href).href;
/** Other copies of the page may lie on the same origin. */
const CACHES = `nibble-playground ${base} `;
const CACHE = CACHES + VERSION;
const OWN: ReadonlySet<string> = new Set(FILES.map((file) => base + file));
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

worker.addEventListener("install", (event) => event.waitUntil(keepFiles()));
worker.addEventListener("activate", (event) => event.waitUntil(replaceOld()));
worker.addEventListener("fetch", (event) => {
  const { method, url, headers } = event.request;
  const { origin, pathname } = new URL(url);
  const path = origin + pathname;
  const file = path === base ? `${base}index.html` : path;
  // What is not the page's own, such as a model from elsewhere, goes its way.
  if (method === "GET" && !headers.has("range") && OWN.has(file)) event.respondWith(answer(event.request, file));
});

/** @throws TypeError if a file cannot be fetched; the worker before, if there is one, then stays */
async function keepFiles(): Promise<void> {
  const cache = await caches.open(CACHE);
  // The browser's own cache may still have files of the build before.
  await cache.addAll([...OWN].map((file) => new Request(file, { cache: "no-cache" })));
  await worker.skipWaiting();
}

async function replaceOld(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(CACHES) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** A file from the network, else the copy. */
async function answer(request: Request, file: string): Promise<Response> {
  const fresh = await fetch(request).catch(() => undefined);
  if (fresh?.ok) return isolated(fresh.body, fresh);
  const copy = await (await caches.open(CACHE)).match(file);
  if (!copy) return fresh ?? Response.error();
  const bytes = await copy.blob();
  const whole = isolated(bytes, copy);
  // The length may be missing, or that of the compressed file, and the model's loader wants to know it.
  whole.headers.delete("content-encoding");
  whole.headers.set("content-length", `${bytes.size}`);
  return whole;
}

function isolated(body: BodyInit | null, { status, statusText, headers }: Response): Response {
  return new Response(body, { status, statusText, headers: { ...Object.fromEntries(headers), ...ISOLATED } });
}
