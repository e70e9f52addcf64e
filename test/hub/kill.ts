import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Running } from "../cli/helpers.ts";
import type { FaultServer } from "./fault-server.ts";
import { expectSound, sha256 } from "./helpers.ts";

/**
 * Kills pulls of `file` (-9) at so many moments, each after about `bytes` more came (some at the first), and looks at the
 * cache after each. The last pull is left alone: it must need less than all of the file. A kill loses a piece of each
 * connection.
 * @param start runs the command on a cache
 */
export async function killAtMoments(
  server: FaultServer,
  cache: string,
  file: Uint8Array,
  moments: number,
  bytes: number,
  start: (cache: string, args: readonly string[]) => Running,
): Promise<void> {
  server.reset();
  server.files.set("/killed.gguf", file);
  server.fault = () => ({ slow: 1 });
  const args = ["pull", `${server.url}/killed.gguf`];
  for (let moment = 0; moment < moments; moment++) {
    const running = start(cache, args);
    const before = server.sent;
    const enough = before + (moment % 5 === 4 ? 0 : bytes * (0.5 + ((moment * 7) % 10) / 10));
    let ended = false;
    running.exit.then(() => {
      ended = true;
    });
    while (server.sent <= enough && !ended) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, (moment * 3) % 11));
    running.child.kill("SIGKILL");
    await running.exit;
    expectSound(cache);
  }
  server.reset();
  expect(await start(cache, args).result()).toMatchObject({ code: 0, stderr: "" });
  expect(server.sent).toBeLessThan(file.length);
  expect(sha256(readFileSync(join(cache, "files", sha256(file))))).toBe(sha256(file));
  expectSound(cache);
}
