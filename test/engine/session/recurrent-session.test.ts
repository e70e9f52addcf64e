/** Sessions of models with recurrent layers go back, fork and are restored with the bits of a fresh session. */
import { expect, it } from "vitest";
import { PrefixCache } from "../../../src/engine/schedule/prefix-cache.ts";
import { Session, type SessionParts } from "../../../src/engine/session/session.ts";
import { executorOf, openFixture } from "../../helpers/models.ts";

const ids = Array.from({ length: 70 }, (_, i) => (i * 37) % 300);

async function setUp(name: string): Promise<{ parts: SessionParts; session: Session }> {
  const executor = await executorOf(await openFixture(name, "gguf"), { contextLength: 128, cacheTokens: 512 });
  const parts = { executor, prefixes: new PrefixCache(executor), open: new Set<Session>() };
  return { parts, session: new Session(parts, parts.prefixes.acquire([])) };
}

it.each(["lfm2", "qwen3_5"])("%s", async (name) => {
  const { parts, session } = await setUp(name);
  const expected = (await setUp(name)).session.forward(ids);
  session.forward(ids.slice(0, 50));
  const restored = Session.restore(parts, session.save(), false);
  expect(session.forward(ids.slice(50))).toEqual(expected);
  expect(restored.forward(ids.slice(50))).toEqual(expected);
  const fork = session.fork();
  fork.truncate(41);
  expect(fork.length).toBe(41);
  expect(fork.forward(ids.slice(41))).toEqual(expected);
  fork.truncate(60);
  const all = fork.forward(ids.slice(60), { logits: "all" });
  expect(all.length).toBe(10 * expected.length);
  expect(all.subarray(-expected.length)).toEqual(expected);
});
