import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Running } from "../cli/helpers.ts";
import type { FaultServer } from "./fault-server.ts";
import { expectSound, sha256 } from "./helpers.ts";

/**
 * Kills pulls of `file` with SIGKILL and checks the cache after each: some as soon as the server sends, some after a
 * piece or more arrived. The last pull is not killed. It must fetch less than the whole file, because a kill loses at
 * most a piece per connection.
 * @param options `moments` is the number of kills, and `start` runs the command on a cache
 */
export async function killAtMoments(
  server: FaultServer,
  cache: string,
  file: Uint8Array,
  options: { readonly moments: number; readonly start: (cache: string, args: readonly string[]) => Running },
): Promise<void> {
  const { moments, start } = options;
  server.reset();
  server.files.set("/killed.gguf", file);
  server.fault = () => ({ slow: 1 });
  const args = ["pull", `${server.url}/killed.gguf`];
  for (let moment = 0; moment < moments; moment++) {
    const running = start(cache, args);
    const [sent, kept] = [server.sent, piecesIn(cache)];
    let ended = false;
    running.exit.then(() => {
      ended = true;
    });
    const reached = (): boolean => server.sent > sent && piecesIn(cache) >= kept + (moment % 5 === 4 ? 0 : moment % 3);
    while (!reached() && !ended) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, (moment * 3) % 11));
    running.child.kill("SIGKILL");
    await running.exit;
    expectSound(cache);
  }
  expect(piecesIn(cache)).toBeGreaterThan(0);
  server.reset();
  expect(await start(cache, args).result()).toMatchObject({ code: 0, stderr: "" });
  expect(server.sent).toBeLessThan(file.length);
  expect(sha256(readFileSync(join(cache, "files", sha256(file))))).toBe(sha256(file));
  expectSound(cache);
}

/** Pieces that are kept for the next pull. */
function piecesIn(cache: string): number {
  const folder = join(cache, "partial");
  if (!existsSync(folder)) return 0;
  const lists = readdirSync(folder).filter((name) => name.endsWith(".pieces"));
  const bytes = lists.map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  return Math.floor(bytes.reduce((sum, size) => sum + size, 0) / 36);
}
