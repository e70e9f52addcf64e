/**
 * Starts the page's service worker (`service-worker.ts`), which keeps the page for times without a network and makes it
 * installable.
 * @module
 */

/**
 * Where only the service worker isolates the page, it does so from the next load on; the page is loaded again at once if
 * nothing is lost by that.
 * @param untouched whether the user has done nothing so far
 */
export async function keepPage(untouched: () => boolean): Promise<void> {
  const { serviceWorker } = navigator as { readonly serviceWorker?: ServiceWorkerContainer };
  if (!serviceWorker) return; // the page has no secure context
  if (!crossOriginIsolated && !serviceWorker.controller)
    serviceWorker.addEventListener("controllerchange", () => untouched() && location.reload(), { once: true });
  // A private window may refuse.
  await serviceWorker
    .register(new URL("../service-worker.js", import.meta.url), { updateViaCache: "none" })
    .catch(() => {});
}
