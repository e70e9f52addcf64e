/** Models that are loaded on request, and disposed when they are idle or others need their memory. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NibbleError } from "../../../src/base/errors.ts";
import type { Model } from "../../../src/engine/model.ts";
import { ModelPool, type PoolSettings } from "../../../src/server/models/pool.ts";
import { checkModels, type LazyModel } from "../../../src/server/models/source.ts";

/** Names of models that were loaded (+) and disposed (-), in order. */
let log: string[] = [];
beforeEach(() => {
  log = [];
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

function fake(name: string): Model {
  return { info: { name }, dispose: () => void log.push(`-${name}`) } as unknown as Model;
}
function lazy(name: string, load: () => Promise<Model> = async () => fake(name)): LazyModel {
  return {
    name,
    load() {
      log.push(`+${name}`);
      return load();
    },
  };
}
function pool(models: readonly (Model | LazyModel)[], settings: Partial<PoolSettings> = {}): ModelPool {
  return new ModelPool(checkModels(models), {
    ...{ modelsMax: 2, idleMs: Infinity, library: undefined, reloads: 3, onLost: () => {} },
    ...settings,
  });
}
const acquire = async (from: ModelPool, name: string, signal?: AbortSignal) =>
  from.acquire(await from.named(name), signal);

describe("a model", () => {
  it("is loaded once for many requests, and stays until it is idle", async () => {
    const models = pool([lazy("a")], { idleMs: 1000 });
    const leases = await Promise.all([1, 2, 3].map(() => acquire(models, "a")));
    expect(log).toEqual(["+a"]);
    expect(leases[1]!.model).toBe(leases[0]!.model);
    for (const lease of leases) lease.release();
    leases[0]!.release(); // A second release is none.
    vi.advanceTimersByTime(999);
    (await acquire(models, "a")).release();
    vi.advanceTimersByTime(999);
    expect(log).toEqual(["+a"]);
    vi.advanceTimersByTime(1);
    expect(log).toEqual(["+a", "-a"]);
    await acquire(models, "a");
    expect(log).toEqual(["+a", "-a", "+a"]);
  });

  it("that came loaded is idle from the start, and is known while it sleeps", async () => {
    const models = pool([{ ...lazy("a"), loaded: fake("a") }], { idleMs: 1000 });
    const served = await models.named("a");
    vi.advanceTimersByTime(999);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(log).toEqual(["-a"]);
    expect([served.model, served.info]).toEqual([undefined, { name: "a" }]);
  });

  it("stays in memory as its last request says: not at all, or for ever", async () => {
    const models = pool([lazy("a")], { idleMs: 1000 });
    const first = await acquire(models, "a");
    const second = await acquire(models, "a");
    first.keepAliveMs = 0;
    first.release();
    expect(log).toEqual(["+a"]);
    second.keepAliveMs = Infinity;
    second.release();
    vi.advanceTimersByTime(1e9);
    expect(log).toEqual(["+a"]);
    const third = await acquire(models, "a");
    third.keepAliveMs = 0;
    third.release();
    expect(log).toEqual(["+a", "-a"]);
  });

  it("of the caller is never disposed", async () => {
    const models = pool([fake("a")], { idleMs: 0 });
    (await acquire(models, "a")).release();
    models.dispose();
    expect(log).toEqual([]);
    expect(models.loaded).toHaveLength(1);
  });

  it("that fails to load gives each request the reason, and the next request tries again", async () => {
    let tries = 0;
    const models = pool([
      lazy("a", async () => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (++tries === 1) throw new NibbleError("missing_file", "gone");
        return fake("a");
      }),
    ]);
    const both = Promise.allSettled([acquire(models, "a"), acquire(models, "a")]);
    await vi.advanceTimersByTimeAsync(10);
    const results = await both;
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const again = acquire(models, "a");
    await vi.advanceTimersByTimeAsync(10);
    expect((await again).model.info.name).toBe("a");
    expect(log).toEqual(["+a", "+a"]);
    expect(models.models[0]!.users).toBe(1);
  });
});

describe("room for models", () => {
  it("comes from the idle one that was used longest ago", async () => {
    const models = pool([lazy("a"), lazy("b"), lazy("c")]);
    for (const name of ["a", "b", "a"]) {
      (await acquire(models, name)).release();
      vi.advanceTimersByTime(1);
    }
    await acquire(models, "c");
    expect(log).toEqual(["+a", "+b", "-b", "+c"]);
  });

  it("is given in the order of arrival when all are in use", async () => {
    const models = pool([lazy("a"), lazy("b")], { modelsMax: 1 });
    const a = await acquire(models, "a");
    const order: string[] = [];
    const b = acquire(models, "b").then((lease) => {
      order.push("b");
      return lease;
    });
    // The model of this request is in memory, but the request must not overtake b's, which might wait for ever.
    const again = acquire(models, "a").then((lease) => {
      order.push("a");
      return lease;
    });
    await vi.advanceTimersByTimeAsync(10);
    expect([log, order]).toEqual([["+a"], []]);
    a.release();
    (await b).release();
    await again;
    expect(order).toEqual(["b", "a"]);
    expect(log).toEqual(["+a", "-a", "+b", "-b", "+a"]);
  });

  it("a client that disconnects stops waiting for it, and the next one continues", async () => {
    const models = pool([lazy("a"), lazy("b")], { modelsMax: 1 });
    const a = await acquire(models, "a");
    const client = new AbortController();
    const b = acquire(models, "b", client.signal);
    const next = acquire(models, "a");
    await vi.advanceTimersByTimeAsync(1);
    client.abort(new Error("left"));
    await expect(b).rejects.toThrow("left");
    expect((await next).model).toBe(a.model);
  });

  it("idle models are disposed one by one while memory is short; then loading fails with an error", async () => {
    let free = 0;
    const big = lazy("big", async () => {
      if (log.filter((entry) => entry.startsWith("-")).length < free) throw new NibbleError("out_of_memory", "too big");
      return fake("big");
    });
    const models = pool([lazy("a"), lazy("b"), big], { modelsMax: Infinity });
    for (const name of ["a", "b"]) (await acquire(models, name)).release();
    free = 2;
    await acquire(models, "big");
    expect(log).toEqual(["+a", "+b", "+big", "-a", "+big", "-b", "+big"]);
    free = 99;
    models.dispose();
    await expect(acquire(models, "big")).rejects.toThrow("too big");
  });
});

describe("names", () => {
  const library = {
    list: async () => [],
    find: async (name: string) => (name === "cached:1b" ? lazy("cached:1b") : undefined),
    pull: async () => {},
  };

  it("with :latest, without a tag where one model has the name, from the library", async () => {
    const models = pool([lazy("a"), lazy("q:0.5b"), lazy("r:1b"), lazy("r:2b")], { library });
    const named = async (name: string) => (await models.named(name)).name;
    expect(await named("a:latest")).toBe("a");
    expect(await named("q")).toBe("q:0.5b");
    expect(await named("q:latest")).toBe("q:0.5b");
    expect(await named("cached:1b")).toBe("cached:1b");
    expect(models.models.map(({ name }) => name)).toContain("cached:1b");
    for (const wrong of ["r", "q:9b", "", "A"]) await expect(named(wrong)).rejects.toMatchObject({ code: "not_found" });
  });

  it("a server of one model answers for any name, one of several does not", async () => {
    const one = pool([lazy("a")], { library });
    const meant = async (from: ModelPool, model?: unknown) => (await from.meant({ model })).name;
    expect(await meant(one, "gpt-4")).toBe("a");
    expect(await meant(one)).toBe("a");
    expect(await meant(one, "cached:1b")).toBe("cached:1b");
    expect(await meant(one, "gpt-4")).toBe("a");
    const several = pool([lazy("a"), lazy("b")]);
    expect(await meant(several, null)).toBe("a");
    await expect(meant(several, "gpt-4")).rejects.toMatchObject({ code: "not_found", param: "model" });
    await expect(meant(one, 5)).rejects.toMatchObject({ code: "invalid_request", param: "model" });
  });
});
