import { afterAll, beforeAll, expect, it } from "vitest";
import { cli, Running } from "../cli/helpers.ts";
import { FaultServer, fileOf } from "../hub/fault-server.ts";
import { temporary } from "../hub/helpers.ts";
import { killAtMoments } from "../hub/kill.ts";

let server: FaultServer;
beforeAll(async () => {
  server = await FaultServer.start();
});
afterAll(() => server.stop());

it("kill -9 at 50 moments of a pull: the cache stays sound, and the next pull continues", async () => {
  const cache = temporary();
  const start = (directory: string, args: readonly string[]): Running =>
    new Running(process.execPath, [cli, ...args], { env: { ...process.env, NIBBLE_CACHE: directory } });
  await killAtMoments(server, cache, fileOf(150 * 2 ** 20), { moments: 50, start });
  expect(server.seen.length).toBeGreaterThan(1);
});
