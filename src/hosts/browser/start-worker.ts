/**
 * Web Workers whose script may lie on another origin, such as a CDN.
 * @module
 */

/**
 * Starts a worker. Browsers refuse a script of another origin, though a module may import from there if that server allows
 * it by CORS; so the script is then a Blob that imports the module.
 * @param start starts the worker; its URL is written out there, because bundlers look for `new Worker(new URL(...))`
 * @param module the file beside the caller's bundle
 * @param base the caller's `import.meta.url`
 */
export function startWorker(start: () => Worker, module: string, base: string): Worker {
  const { href, origin } = new URL(module, base);
  if (!/^https?:/.test(href) || origin === globalThis.location?.origin) return start();
  const script = new Blob([`import ${JSON.stringify(href)};`], { type: "text/javascript" });
  const url = URL.createObjectURL(script);
  const worker = new Worker(url, { type: "module" });
  worker.addEventListener("message", () => URL.revokeObjectURL(url), { once: true }); // it has been read by then
  return worker;
}
