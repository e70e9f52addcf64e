/**
 * The entry of a helping thread in a browser (`dist/browser-thread.js`).
 * @module
 */
import { serveThread, type ThreadStart } from "../../runtime/threads.ts";

addEventListener("message", ({ data }: MessageEvent<ThreadStart>) => serveThread(data, () => postMessage("ready")), {
  once: true,
});
