/** A model that can compute no more: /health and the log say so, and it comes back, or the server ends. */
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import { coreOf, type Model } from "../../src/engine/model.ts";
import { createLoad } from "../../src/load/create-load.ts";
import type { Instance } from "../../src/runtime/kernels.ts";
import type { Thread } from "../../src/runtime/threads.ts";
import { createHandler, type Handler } from "../../src/server/handler.ts";
import type { LostModel } from "../../src/server/models/recovery.ts";
import type { HandlerOptions } from "../../src/server/options.ts";
import { cli, Running } from "../cli/helpers.ts";
import { root, testHost } from "../helpers/models.ts";
import { askHandler, postHandler, postJson, until } from "./helpers.ts";

/** The helping threads of all models, the last one's at the end. */
const threads: Thread[] = [];
const host = {
  ...testHost,
  async startThread(...args: Parameters<typeof testHost.startThread>) {
    const thread = await testHost.startThread(...args);
    threads.push(thread);
    return thread;
  },
};
const crumb = () => createLoad(host)(join(root, "dist/crumb.gguf"), { name: "crumb", threads: 2 });

/** Makes the next call of the kernels trap, as a fault in one of them does. */
function breakKernels(model: Model): void {
  const executor = coreOf(model)!.executor as unknown as { instance: Instance };
  const run = (): never => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  executor.instance = { ...executor.instance, kernels: { ...executor.instance.kernels, run } };
}

let handler: Handler;
afterEach(() => handler?.close(0));

/** A handler that loads crumb, the models that it has loaded, and what it tells of lost ones. */
async function serve(options: HandlerOptions = {}, load: (tries: number) => Promise<Model> = crumb) {
  const loaded: Model[] = [];
  const lost: LostModel[] = [];
  let tries = 0;
  const lazy = {
    name: "crumb",
    async load() {
      const model = await load(tries++);
      loaded.push(model);
      return model;
    },
  };
  handler = createHandler(lazy, { onLost: (one) => void lost.push(one), ...options });
  await complete();
  return { loaded, lost, tries: () => tries };
}
const request = { prompt: "How much is 8 * 33?", temperature: 0, max_tokens: 8 };
const complete = async () => {
  const { status, json } = await postHandler(handler, "/v1/completions", request);
  return { status, text: json().choices?.[0].text, error: json().error };
};
const health = async () => {
  const { status, json } = await askHandler(handler, "/health");
  return { status, message: json().error?.message };
};

describe("a lost model", () => {
  it("whose thread ended while nothing ran is noticed at once, and loaded again", async () => {
    const { loaded, lost } = await serve();
    const before = await complete();
    threads.at(-1)!.terminate();
    expect((await loaded[0]!.lost).message).toMatch(/a thread has ended/);
    const { status, message } = await health();
    expect([status, message]).toEqual([503, expect.stringMatching(/^crumb: a thread has ended.*loaded again$/)]);
    expect(await complete()).toEqual(before); // it waits for the model
    expect((await health()).status).toBe(200);
    expect(lost.map(({ state }) => state)).toEqual(["reloading", "reloaded"]);
    expect(loaded).toHaveLength(2);
    expect(() => loaded[0]!.tokenize("a")).toThrow(expect.objectContaining({ code: "disposed" }));
  });

  it("that trapped: requests under way end with a typed error, later ones are answered", async () => {
    const { loaded, lost } = await serve();
    const before = await complete();
    const stream = await postHandler(handler, "/v1/completions", { ...request, max_tokens: 1 });
    expect(stream.status).toBe(200);
    const endless = { ...request, max_tokens: 200, ignore_eos: true, stream: true };
    const running = postHandler(handler, "/v1/completions", endless);
    await until(() => loaded[0]!.stats().requests > 0);
    breakKernels(loaded[0]!);
    const { text } = await running;
    expect(text).toContain('"code":"poisoned"');
    await until(() => lost.some(({ state }) => state === "reloaded"));
    expect(await complete()).toEqual(before);
    expect(lost[0]!.error).toMatchObject({ code: "poisoned", message: expect.stringContaining("unreachable") });
  });

  it("is loaded again only so often, since a request could trap each time", async () => {
    const { loaded, lost } = await serve({ reloads: 2 });
    for (let i = 0; i < 3; i++) {
      await until(() => loaded.length === i + 1);
      breakKernels(loaded[i]!);
      expect(await complete()).toMatchObject({ status: 503, error: { code: "poisoned" } });
    }
    await until(() => lost.at(-1)?.state === "gone");
    expect(await complete()).toMatchObject({ status: 503, error: { code: "poisoned" } });
    expect(await health()).toMatchObject({ status: 503, message: expect.stringMatching(/it can answer no more$/) });
    expect(lost.map(({ state }) => state)).toEqual([...["reloading", "reloaded", "reloading", "reloaded"], "gone"]);
    expect((await askHandler(handler, "/metrics")).status).toBe(200);
  });

  it("that cannot be loaded at once is tried again", async () => {
    const { lost, tries, loaded } = await serve({}, async (n) => {
      if (n === 1) throw new NibbleError("io_error", "the disk is away");
      return crumb();
    });
    threads.at(-1)!.terminate();
    await loaded[0]!.lost;
    await until(() => lost.at(-1)?.state === "reloaded");
    expect(tries()).toBe(3);
    expect(lost.map(({ error }) => (error as Error).message)[1]).toBe("the disk is away");
    expect((await health()).status).toBe(200);
  });

  it("of the handler's caller is not loaded again, nor one with reloads 0", async () => {
    const model = await crumb();
    const lost: string[] = [];
    handler = createHandler(model, { onLost: ({ state }) => void lost.push(state) });
    expect((await complete()).status).toBe(200);
    breakKernels(model);
    expect((await complete()).status).toBe(503);
    expect([(await health()).status, lost]).toEqual([503, ["gone"]]);
    model.dispose();

    const { loaded, lost: more } = await serve({ reloads: 0 });
    breakKernels(loaded[0]!);
    await complete();
    expect(more.map(({ state }) => state)).toEqual(["gone"]);
  });
});

describe("nibble serve", () => {
  /** Lets SIGUSR2 end the helping threads of the process. */
  const patch = `
    import threads from "node:worker_threads";
    import { syncBuiltinESMExports } from "node:module";
    const { Worker } = threads;
    threads.Worker = class extends Worker {
      constructor(...args) { super(...args); process.once("SIGUSR2", () => this.terminate()); }
    };
    syncBuiltinESMExports();`;
  const start = async (...flags: string[]) => {
    const env = { ...process.env, NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(patch)}` };
    const args = [cli, "serve", "crumb", "-t", "2", "--no-revectorize", "--port", "0", "--json", ...flags];
    const running = new Running(process.execPath, args, { env });
    const end = await running.until("\n");
    const { url } = JSON.parse(running.stdout.slice(0, end));
    return { running, url, ask: () => postJson(`${url}/v1/completions`, request) };
  };

  it("loads the model again and says so; with --no-reload it ends with status 1", async () => {
    const { running, ask, url } = await start();
    const before = await (await ask()).json();
    running.child.kill("SIGUSR2");
    await until(() => running.stderr.includes("crumb answers again"));
    expect(running.stderr).toMatch(/^nibble: crumb: a thread has ended.*; it is loaded again\n/);
    expect((await (await ask()).json()).choices).toEqual(before.choices);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    running.child.kill("SIGKILL");

    const other = await start("--no-reload");
    other.running.child.kill("SIGUSR2");
    const { code, stderr } = await other.running.result();
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^nibble: crumb: a thread.*it can answer no more\n$/)]);
  });
});
