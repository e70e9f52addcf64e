/** Several servers as one: failures, backpressure, late servers; every request is answered once. */
import { expect, it } from "vitest";
import { type IdentifiedRequest, identify } from "../../src/batch/identity.ts";
import { type PoolOptions, ServerPool } from "../../src/batch/pool.ts";
import type { Outcome } from "../../src/batch/result.ts";
import { runBatch } from "../../src/batch/run.ts";
import type { BatchServer } from "../../src/batch/server.ts";
import { batchServer } from "../../src/batch/server.ts";
import { fakeServer } from "./fake-server.ts";

/** Made before the run, so that its pace is that of the servers. */
const made = await Promise.all(
  Array.from({ length: 1000 }, (_, i) =>
    identify({ customId: `r${i}`, url: "/v1/completions", body: { prompt: `${i}`, temperature: 0 } }),
  ),
);

async function* requests(count: number): AsyncGenerator<IdentifiedRequest, undefined> {
  yield* made.slice(0, count);
}

async function run(servers: readonly BatchServer[], count: number, options: PoolOptions = {}) {
  const notes: string[] = [];
  const pool = new ServerPool(servers, { pauseMs: 5, onNote: (text) => notes.push(text), ...options });
  const results = new Map<string, Outcome>();
  let twice = 0;
  try {
    await runBatch(requests(count), pool, {
      onResult(_line, outcome, { customId }) {
        twice += Number(results.has(customId));
        results.set(customId, outcome);
      },
    });
  } finally {
    pool.close();
  }
  return { results, twice, notes };
}

const allGood = (results: ReadonlyMap<string, Outcome>): boolean =>
  [...results].every(([name, one]) => "status" in one && JSON.stringify(one.body).includes(`"${name.slice(1)}"`));

it("one of three servers is killed, one comes late: every request is answered once, by all of them", async () => {
  const c = fakeServer("c", { alive: false });
  const a = fakeServer("a", { ms: 3 });
  const b = fakeServer("b", { ms: 3, killAfter: 30, onKill: () => (c.alive = true) });
  const { results, twice, notes } = await run([a, b, c], 600);
  expect(results.size).toBe(600);
  expect(twice).toBe(0);
  expect(allGood(results)).toBe(true);
  expect(c.bodies.length).toBeGreaterThan(10);
  expect(notes.some((note) => note.startsWith("b: the connection was cut (socket hang up)"))).toBe(true);
  expect(notes).toContain("c: it answers");
});

it("a server that comes back is asked again", async () => {
  const a = fakeServer("a", { killAfter: 30, onKill: () => setTimeout(() => (a.alive = true), 20) });
  const { results, notes } = await run([a], 100);
  expect(results.size).toBe(100);
  expect(allGood(results)).toBe(true);
  expect(notes).toContain("a: it answers");
});

it("the requests in flight grow to what a server accepts, and 429 loses none", async () => {
  const a = fakeServer("a", { accepts: 11, ms: 2 });
  const { results } = await run([a], 300);
  expect(allGood(results)).toBe(true);
  expect(results.size).toBe(300);
  expect(a.most).toBe(11);
  // Most requests are sent once: the limit follows the refusals.
  expect(a.bodies.length).toBeLessThan(450);
});

it("a server that names its slots gets twice as many requests; --parallel bounds them", async () => {
  const [a, b, c] = [fakeServer("a", { slots: 3 }), fakeServer("b", { ms: 50 }), fakeServer("c", { slots: 50 })];
  await run([a], 100);
  expect(a.most).toBe(6);
  await run([b], 500);
  expect(b.most).toBe(64);
  await run([c], 100, { maxInFlight: 5 });
  expect(c.most).toBe(5);
});

it("status 500 is tried again and then counts; an error of the request itself counts at once", async () => {
  let tries = 0;
  const status = (body: unknown): number => {
    const { prompt } = body as { prompt: string };
    if (prompt === "1") return 400;
    if (prompt === "2") return 500;
    return prompt === "3" && tries++ < 2 ? 502 : 200;
  };
  const a = fakeServer("a", { status });
  const { results } = await run([a], 5, { pauseMs: 1 });
  expect([...results].map(([name, one]) => [name, "status" in one && one.status]).sort()).toEqual(
    [200, 400, 500, 200, 200].map((code, i) => [`r${i}`, code]),
  );
  expect(a.bodies.filter((body) => (body as { prompt: string }).prompt === "1")).toHaveLength(1);
});

it("501 counts at once, and so does 429 whose server says that another attempt is of no use", async () => {
  const reply = (status: number, headers = {}) => Response.json({}, { status, headers });
  const asked: string[] = [];
  const server = batchServer({
    url: "http://fleet",
    async fetch(request) {
      if (request.method === "GET") return reply(200);
      const { prompt } = (await request.json()) as { prompt: string };
      asked.push(prompt);
      if (prompt === "1") return reply(501);
      if (prompt === "2") return reply(429, { "x-should-retry": "false" });
      const again = asked.filter((name) => name === prompt).length > 1;
      if (prompt === "3" && !again) return reply(400, { "x-should-retry": "true" });
      return reply(200);
    },
  });
  const { results } = await run([server], 4, { pauseMs: 1 });
  expect([...results].map(([name, one]) => [name, "status" in one && one.status]).sort()).toEqual(
    [200, 501, 429, 200].map((code, i) => [`r${i}`, code]),
  );
  expect(asked.sort()).toEqual(["0", "1", "2", "3", "3"]);
});

it("a request that cuts every connection ends with an error, and the others are answered", async () => {
  const a = fakeServer("a");
  const send = a.send.bind(a);
  a.send = (path, body, signal) =>
    (body as { prompt: string }).prompt === "7" ? Promise.reject(new Error("reset")) : send(path, body, signal);
  const { results } = await run([a], 20, { pauseMs: 1 });
  expect(results.get("r7")).toMatchObject({
    error: { code: "connection_error", message: expect.stringContaining("reset") },
  });
  expect([...results.values()].filter((one) => "status" in one)).toHaveLength(19);
});

it("no server at all, a wrong key: the run ends and says why", async () => {
  const none = run([fakeServer("http://nowhere", { alive: false })], 3, { waitMs: 600 });
  await expect(none).rejects.toMatchObject({ code: "io_error", message: expect.stringContaining("http://nowhere") });
  const status = (): number => 401;
  await expect(run([fakeServer("a", { status })], 3)).rejects.toMatchObject({ code: "unauthorized" });
  const { results } = await run([fakeServer("a", { status }), fakeServer("b")], 30);
  expect(allGood(results)).toBe(true);
});

it("an error of the consumer ends the run", async () => {
  const pool = new ServerPool([fakeServer("a")]);
  const full = new Error("the disk is full");
  await expect(runBatch(requests(50), pool, { onResult: () => Promise.reject(full) })).rejects.toBe(full);
  const left = new AbortController();
  setTimeout(() => left.abort(new Error("left")), 10);
  await expect(runBatch(requests(1000), pool, { onResult: () => {}, signal: left.signal })).rejects.toThrow("left");
  pool.close();
});
