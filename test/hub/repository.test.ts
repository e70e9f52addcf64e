import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { directoryCache } from "../../src/hosts/node/cache.ts";
import type { ModelRecord } from "../../src/hub/cache.ts";
import { openModel } from "../../src/hub/hub.ts";
import { type PullOptions, pull } from "../../src/hub/pull.ts";
import { parseReference } from "../../src/hub/reference.ts";
import { pathOf } from "../cli/helpers.ts";
import { FaultServer, fileOf } from "./fault-server.ts";
import { expectSound, sha256, temporary } from "./helpers.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
/** The hub. Its large files are on another origin, as with the real hub. */
let hub: FaultServer;
let store: FaultServer;
beforeAll(async () => {
  hub = await FaultServer.start();
  store = await FaultServer.start();
});
beforeEach(() => {
  hub.reset();
  store.reset();
});
afterAll(async () => {
  await hub.stop();
  await store.stop();
});

interface Sibling {
  readonly path: string;
  readonly content: Uint8Array;
  /** True for a large file, whose hash the hub knows. */
  readonly lfs?: boolean;
  readonly toldHash?: string;
}

/** Serves a repository as the hub does: a listing, files by commit, and large files by a redirect. */
function repository(siblings: readonly Sibling[], facts: object = {}): void {
  const listing = {
    sha: COMMIT,
    cardData: { license: "apache-2.0", __proto__: null },
    siblings: siblings.map(({ path, content, lfs, toldHash }) => ({
      rfilename: path,
      size: content.length,
      ...(lfs && { lfs: { sha256: toldHash ?? sha256(content), size: content.length } }),
    })),
    ...facts,
  };
  const body = new TextEncoder().encode(JSON.stringify(listing));
  for (const { path, content } of siblings) store.files.set(`/${path}`, content);
  hub.fault = ({ path }) => {
    if (path.startsWith("/api/models/owner/repo/revision/main?blobs=true")) return { body };
    const name = path.slice(`/owner/repo/resolve/${COMMIT}/`.length);
    const sibling = siblings.find((one) => one.path === name);
    if (!sibling) return { status: 404 };
    if (!sibling.lfs) return { body: sibling.content };
    const headers = { location: `${store.url}/${name}?signature=1`, "x-linked-etag": `"${sha256(sibling.content)}"` };
    return { status: 302, headers };
  };
}

const gguf = (path: string, seed: number): Sibling => ({ path, content: fileOf(3000 + seed, seed), lfs: true });
const options = (more: Partial<PullOptions> = {}): PullOptions => ({
  endpoint: hub.url,
  tokenOrigin: hub.url,
  token: "hf_secret",
  retryMs: 1,
  ...more,
});

async function pulled(text: string, folder = temporary(), more: Partial<PullOptions> = {}): Promise<ModelRecord> {
  const record = await pull(parseReference(text)!, await directoryCache(folder), options(more));
  expectSound(folder);
  return record;
}
const names = ({ files }: ModelRecord): string[] => files.map(({ name }) => name);

describe("which files", () => {
  const ALL = [
    gguf("Model-IQ4_K_M.gguf", 1),
    gguf("Model-Q8_0.gguf", 2),
    gguf("Model-Q4_K_M.gguf", 3),
    gguf("Model-Q4_0.gguf", 4),
    gguf("mmproj-Model-Q4_K_M.gguf", 5),
    gguf("Q2_K/Model-Q2_K-00001-of-00002.gguf", 6),
    gguf("Q2_K/Model-Q2_K-00002-of-00002.gguf", 7),
  ];
  it.each([
    ["hf:owner/repo", ["Model-Q4_K_M.gguf"]],
    ["hf:owner/repo:q8_0", ["Model-Q8_0.gguf"]],
    ["hf:owner/repo:q2_k", ["Model-Q2_K-00001-of-00002.gguf", "Model-Q2_K-00002-of-00002.gguf"]],
    ["hf:owner/repo:Model-Q4_0.gguf", ["Model-Q4_0.gguf"]],
  ])("%s", async (text, expected) => {
    repository(ALL);
    const record = await pulled(text);
    expect(names(record)).toEqual(expected);
    expect(record).toMatchObject({ source: `${hub.url}/owner/repo`, revision: COMMIT, licence: "apache-2.0" });
  });
  it("without Q4_K_M and Q4_0: Q8_0, else the first", async () => {
    repository([ALL[0]!, ALL[1]!]);
    expect(names(await pulled("hf:owner/repo"))).toEqual(["Model-Q8_0.gguf"]);
    repository([ALL[0]!]);
    expect(names(await pulled("hf:owner/repo"))).toEqual(["Model-IQ4_K_M.gguf"]);
  });
  it("the error for a missing type lists the types that are there", async () => {
    repository(ALL);
    await expect(pulled("hf:owner/repo:q6_k")).rejects.toMatchObject({
      code: "missing_file",
      message: expect.stringContaining("expected Q6_K, got Model-IQ4_K_M.gguf, Model-Q8_0.gguf"),
    });
  });
  it("a missing shard", async () => {
    repository(ALL.slice(0, 6));
    await expect(pulled("hf:owner/repo:q2_k")).rejects.toMatchObject({ code: "missing_file" });
  });
  it("file names that lead out of the repository or are empty are ignored", async () => {
    repository([], {
      siblings: [{ rfilename: "../x-Q4_0.gguf", size: 5 }, { rfilename: "a-Q4_0.gguf", size: -1 }, 7, null],
    });
    await expect(pulled("hf:owner/repo")).rejects.toMatchObject({ code: "missing_file" });
    repository([], { siblings: 7 });
    await expect(pulled("hf:owner/repo")).rejects.toMatchObject({ code: "missing_file" });
  });
});

it("a safetensors folder loads as it does from a disk", async () => {
  const files = [
    "README.md",
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "model.safetensors",
  ];
  const content = (path: string): Uint8Array => new Uint8Array(readFileSync(pathOf(`models/crumb/${path}`)));
  repository([
    ...files.map((path) => ({ path, content: content(path), lfs: path.endsWith(".safetensors") })),
    { path: "pytorch_model.bin", content: new Uint8Array(5) },
  ]);
  const folder = temporary();
  const record = await pulled("hf:owner/repo", folder);
  expect(names(record).sort()).toEqual([...files].sort());
  const opened = await openModel(record, await directoryCache(folder));
  if (!("files" in opened)) throw new Error("expected a folder");
  const config = await opened.files.open("config.json");
  expect(await config.read(0, config.size)).toEqual(content("config.json"));
  await config.close?.();
});

describe("the token", () => {
  it("goes to the hub, and not where the hub redirects to", async () => {
    repository([gguf("m-Q4_0.gguf", 1)]);
    await pulled("hf:owner/repo");
    expect(hub.seen.length).toBeGreaterThan(1);
    for (const { authorization } of hub.seen) expect(authorization).toBe("Bearer hf_secret");
    expect(store.seen.length).toBeGreaterThan(0);
    for (const { authorization } of store.seen) expect(authorization).toBeUndefined();
  });
  it("does not go to a URL elsewhere", async () => {
    store.files.set("/m.gguf", fileOf(100));
    await pulled(`${store.url}/m.gguf`);
    for (const { authorization } of store.seen) expect(authorization).toBeUndefined();
  });
});

describe("errors say what to do", () => {
  it.each([
    [401, undefined, "unauthorized", /HF_TOKEN is not set: accept its licence at .*\/owner\/repo, then set HF_TOKEN/],
    [403, "hf_x", "forbidden", /HF_TOKEN's owner may not read it: accept/],
    [404, undefined, "missing_file", /has no repository owner\/repo at main/],
  ])("%i of the listing", async (status, token, code, message) => {
    hub.fault = () => ({ status });
    const failed = pulled("hf:owner/repo", temporary(), { token });
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
  it("403 for a file, because gated repositories still list their files", async () => {
    const sibling = gguf("m-Q4_0.gguf", 1);
    repository([sibling]);
    const listed = hub.fault;
    hub.fault = (request, index) => (request.path.startsWith("/api/") ? listed(request, index) : { status: 403 });
    await expect(pulled("hf:owner/repo")).rejects.toMatchObject({ code: "forbidden" });
  });
  it("a known gated model names its licence", async () => {
    hub.fault = () => ({ status: 401 });
    await expect(pulled("mobilellm-r1:140m", temporary(), { token: undefined })).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringMatching(/facebook\/MobileLLM-R1-140M is gated \(licence fair-noncommercial-research\)/),
    });
  });
  it("a listing that is not JSON, or endless", async () => {
    hub.fault = () => ({ body: new TextEncoder().encode("<html>") });
    await expect(pulled("hf:owner/repo")).rejects.toMatchObject({ code: "bad_json" });
    hub.fault = () => ({ body: new Uint8Array(17 * 2 ** 20).fill(32) });
    await expect(pulled("hf:owner/repo")).rejects.toMatchObject({ code: "limit_exceeded" });
  });
});

describe("hashes", () => {
  it("a file whose hash differs from the hub's is refused and discarded", async () => {
    const folder = temporary();
    repository([{ ...gguf("m-Q4_0.gguf", 1), toldHash: "0".repeat(64) }]);
    const failed = pulled("hf:owner/repo", folder);
    await expect(failed).rejects.toMatchObject({
      code: "bad_weights",
      message: expect.stringMatching(/expected SHA-256 0000/),
    });
    const cache = await directoryCache(folder);
    expect(await cache.records()).toEqual([]);
    expect(await cache.prune()).toBe(0);
    expectSound(folder);
  });
  it("come from x-linked-etag if the hub is asked for the file alone", async () => {
    repository([gguf("m-Q4_0.gguf", 1)]);
    store.files.set("/m-Q4_0.gguf", fileOf(3001, 5));
    await expect(pulled(`${hub.url}/owner/repo/resolve/${COMMIT}/m-Q4_0.gguf`)).rejects.toMatchObject({
      code: "bad_weights",
    });
  });
  it("let two pulls at once fetch a file only once", async () => {
    const folder = temporary();
    const file = { path: "m-Q4_0.gguf", content: fileOf(2_500_000, 3), lfs: true };
    repository([file]);
    store.fault = () => ({ slow: 2 });
    const [a, b] = await Promise.all([pulled("hf:owner/repo", folder), pulled("hf:owner/repo:q4_0", folder)]);
    expect(a!.files).toEqual(b!.files);
    expect(store.sent).toBe(file.content.length);
  });
});
