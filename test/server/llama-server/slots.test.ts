/** Conversations saved and restored over HTTP. */
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderStore } from "../../../src/cli/serve/slot-folder.ts";
import type { Model } from "../../../src/engine/model.ts";
import { createHandler } from "../../../src/server/handler.ts";
import { cli, Running } from "../../cli/helpers.ts";
import { askHandler, loadCrumb, messages, postHandler, postJson, until } from "../helpers.ts";

/** A conversation longer than a page of the KV cache. */
const conversation = [{ role: "system", content: "Be brief and be right. ".repeat(20) }, ...messages];

const saved = new Map<string, Uint8Array>();
const slotStore = {
  read: async (name: string) => saved.get(name),
  write: async (name: string, bytes: Uint8Array) => void saved.set(name, bytes),
};
const slotKey = new Uint8Array(32).fill(7);
let model: Model;
beforeAll(async () => {
  model = await loadCrumb();
});
afterAll(() => model.dispose());

const post = async (on: Model, path: string, body: unknown) => {
  const init = { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const response = await createHandler(on, { slotStore, slotKey })(new Request(`http://localhost${path}`, init));
  return { status: response.status, body: await response.json() };
};
const ask = (on: Model) => post(on, "/v1/chat/completions", { messages: conversation, temperature: 0, max_tokens: 20 });

describe("/slots", () => {
  it("another model restores a saved conversation: the same answer, and at most a page is computed again", async () => {
    const before = await ask(model);
    const { status, body } = await post(model, "/slots/0?action=save", { filename: "a.bin", messages: conversation });
    const { prompt_tokens } = before.body.usage;
    expect([status, body]).toEqual([
      200,
      {
        id_slot: 0,
        filename: "a.bin",
        n_saved: prompt_tokens,
        n_written: saved.get("a.bin")!.length,
        timings: { save_ms: expect.any(Number) },
      },
    ]);
    const other = await loadCrumb();
    const restored = await post(other, "/slots/3?action=restore", { filename: "a.bin" });
    expect(restored.body).toMatchObject({ id_slot: 3, n_restored: prompt_tokens });
    const after = await ask(other);
    expect(after.body.choices).toEqual(before.body.choices);
    const { cached_tokens } = after.body.usage.prompt_tokens_details;
    expect(cached_tokens).toBeGreaterThan(prompt_tokens - 33);
    expect(other.stats()).toMatchObject({ requests: 0, usedPages: 0 });

    const erased = await post(other, "/slots/0?action=erase", {});
    expect(erased.body.n_erased_pages).toBeGreaterThan(0);
    expect((await ask(other)).body.usage.prompt_tokens_details.cached_tokens).toBe(0);
    other.dispose();
  });

  it("GET gives the number of busy slots", async () => {
    const handler = createHandler(model, { slots: 2 });
    const states = async () => (await handler(new Request("http://localhost/slots"))).json();
    const slot = (id: number, is_processing: boolean) => ({ id, n_ctx: model.info.contextLength, is_processing });
    expect(await states()).toEqual([slot(0, false), slot(1, false)]);
    const body = JSON.stringify({ prompt: "a", stream: true, id_slot: 1, cache_prompt: true });
    const headers = { "content-type": "application/json" };
    const running = await handler(new Request("http://localhost/v1/completions", { method: "POST", body, headers }));
    expect(await states()).toEqual([slot(0, true), slot(1, false)]);
    await running.body!.cancel();
    expect(await states()).toEqual([slot(0, false), slot(1, false)]);
  });

  it("errors name the wrong field", async () => {
    saved.set("broken", saved.get("a.bin")!.slice(0, 1000));
    const wrong: [query: string, body: object, param: string][] = [
      ["", { filename: "a" }, "action"],
      ["?action=nonsense", { filename: "a" }, "action"],
      ["?action=restore", {}, "filename"],
      ["?action=restore", { filename: "never-saved" }, "filename"],
      ["?action=restore", { filename: "broken" }, "filename"],
      ["?action=restore", { filename: "a.bin", messages: conversation }, "messages"],
      ["?action=save", { filename: "a" }, "prompt"],
      ["?action=save", { filename: "a", prompt: "a", messages: conversation }, "prompt"],
      ["?action=save", { filename: "a", messages: [{ role: "user" }] }, "messages[0].content"],
      ...["../a", "a/b", "", ".", "..", ".hidden", "a\\b", "a\0", "x".repeat(200)].map(
        (filename): [string, object, string] => ["?action=save", { filename, prompt: "a" }, "filename"],
      ),
    ];
    for (const [query, given, param] of wrong) {
      const { status, body } = await post(model, `/slots/0${query}`, given);
      expect([status, body.error?.param, JSON.stringify(given)]).toEqual([400, param, JSON.stringify(given)]);
    }
    expect((await post(model, "/slots/99?action=erase", {})).status).toBe(404);
  });

  it("erasing needs neither a body nor a store; saving needs a store", async () => {
    const handler = createHandler(model);
    const erased = await askHandler(handler, "/slots/0?action=erase", { method: "POST" });
    expect(erased.json()).toMatchObject({ id_slot: 0, n_erased: erased.json().n_erased_pages * 32 });
    const { status, json } = await postHandler(handler, "/slots/0?action=save", { filename: "a", prompt: "a" });
    expect([status, json().error.code]).toEqual([501, "not_supported"]);
    expect((await askHandler(handler, "/slots?fail_on_no_slot=1")).status).toBe(200);
  });

  it("several saves of one name at once: each ends, and the file is whole", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nibble-saves-"));
    const store = folderStore(folder);
    const contents = Array.from({ length: 8 }, (_, i) => new Uint8Array(100_000).fill(i));
    await Promise.all(contents.map((bytes) => store.write("a.bin", bytes)));
    const bytes = (await store.read("a.bin"))!;
    expect(contents.some((one) => Buffer.compare(one, bytes) === 0)).toBe(true);
    expect(readdirSync(folder)).toEqual(["a.bin"]);
    rmSync(folder, { recursive: true });
  });

  it("a save that fails, or was killed, leaves no part behind; what is no file is not read", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nibble-saves-"));
    mkdirSync(join(folder, "taken"));
    writeFileSync(join(folder, "taken", "x"), "");
    const [old, fresh] = ["a", "b"].map((name) => `${name}.${randomUUID()}.tmp`) as [string, string];
    for (const name of [old, fresh]) writeFileSync(join(folder, name), "");
    utimesSync(join(folder, old), new Date(0), new Date(0));
    const store = folderStore(folder);
    await expect(store.write("taken", new Uint8Array(10))).rejects.toMatchObject({ code: "io_error" });
    await until(() => readdirSync(folder).length === 2);
    expect(readdirSync(folder).sort()).toEqual([fresh, "taken"]);
    expect([await store.read("taken"), await store.read("missing")]).toEqual([undefined, undefined]);
    rmSync(folder, { recursive: true });
  });

  it("nibble serve --slot-save-path keeps them in a folder", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nibble-slots-"));
    const server = new Running(process.execPath, [cli, "serve", "--port", "0", "--json", "--slot-save-path", folder]);
    const end = await server.until("\n");
    const { url } = JSON.parse(server.stdout.slice(0, end));
    const act = async (action: string, body: object) =>
      (await postJson(`${url}/slots/0?action=${action}`, { filename: "a.bin", ...body })).json();
    const { n_saved } = await act("save", { messages: conversation });
    expect(n_saved).toBeGreaterThan(100);
    expect(readdirSync(folder)).toEqual(["a.bin"]);
    await act("erase", { filename: undefined });
    expect((await act("restore", {})).n_restored).toBe(n_saved);
    server.child.kill("SIGTERM");
    expect((await server.result()).code).toBe(0);
    rmSync(folder, { recursive: true });
  });
});
