/** Locks of pulls whose owners have gone. */
import { spawnSync } from "node:child_process";
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { directoryCache } from "../../src/hosts/node/cache.ts";
import { lock } from "../../src/hosts/node/lock.ts";
import { temporary } from "./helpers.ts";

it("a lock of a process that has ended does not count", async () => {
  const folder = temporary();
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  const cache = await directoryCache(folder);
  const file = await cache.partial("ab", 10);
  writeFileSync(join(folder, "partial", "ab.lock"), JSON.stringify({ pid, host: hostname(), id: "x" }));
  const again = await cache.partial("ab", 10, AbortSignal.timeout(60_000));
  await again.discard();
  await file.release();
  expect(readdirSync(join(folder, "partial"))).toEqual([]);
});

it("the lock of a process that was killed is taken at once, by a caller that does not wait, too", async () => {
  const path = join(temporary(), "out.lock");
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  writeFileSync(path, JSON.stringify({ pid, host: hostname(), id: "x" }));
  const held = await lock(path, undefined, 0);
  await expect(lock(path, undefined, 0)).rejects.toMatchObject({ code: "io_error" });
  await held.release();
});

it("a lock of another machine that shows no sign of life does not count, even if its clock is ahead", async () => {
  const folder = temporary();
  await (await directoryCache(folder)).partial("ab", 10).then((file) => file.discard());
  const path = join(folder, "partial", "ab.lock");
  writeFileSync(path, JSON.stringify({ pid: 1, host: "elsewhere", id: "x" }));
  const ahead = new Date(Date.now() + 3_600_000);
  utimesSync(path, ahead, ahead);
  // A thousand times faster, so that the wait of half a minute is over soon.
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, "now").mockImplementation(() => 1000 * now());
  try {
    const file = await (await directoryCache(folder)).partial("ab", 10, AbortSignal.timeout(60_000));
    await file.discard();
  } finally {
    clock.mockRestore();
  }
});
