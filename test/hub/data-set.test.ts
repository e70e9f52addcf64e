/** Data sets of the hub: which branch and files are fetched, with the token, hashes and cache that models have. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { directoryCache } from "../../src/hosts/node/cache.ts";
import type { ModelRecord } from "../../src/hub/cache.ts";
import { dataSetName, dataSetReference, pullDataSet } from "../../src/hub/data-set.ts";
import { findModel } from "../../src/hub/hub.ts";
import { FaultServer, fileOf } from "./fault-server.ts";
import { expectSound, sha256, temporary } from "./helpers.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
let hub: FaultServer;
beforeAll(async () => {
  hub = await FaultServer.start();
});
beforeEach(() => hub.reset());
afterAll(() => hub.stop());

type Branches = Readonly<Record<string, readonly string[]>>;
const contentOf = (path: string): Uint8Array => fileOf(2000 + path.length, path.length);

/** Serves branches of `owner/set`. Parquet is a large file, whose hash the hub knows; the other files are small. */
function serve(branches: Branches, facts: object = {}): void {
  hub.fault = ({ path }) => {
    const branch = /^\/api\/datasets\/owner\/set\/revision\/([^?]+)\?blobs=true$/.exec(path)?.[1];
    if (branch !== undefined) {
      const paths = branches[decodeURIComponent(branch)];
      if (!paths) return { status: 404 };
      const siblings = paths.map((name) => {
        const content = contentOf(name);
        const lfs = name.endsWith(".parquet") && { lfs: { sha256: sha256(content), size: content.length } };
        return { rfilename: name, size: content.length, ...lfs };
      });
      return { body: new TextEncoder().encode(JSON.stringify({ sha: COMMIT, siblings, ...facts })) };
    }
    const file = decodeURIComponent(path.slice(`/datasets/owner/set/resolve/${COMMIT}/`.length));
    return Object.values(branches).flat().includes(file) ? undefined : { status: 404 };
  };
  for (const name of Object.values(branches).flat())
    hub.files.set(`/datasets/owner/set/resolve/${COMMIT}/${name}`, contentOf(name));
}

async function pulled(name: string, folder = temporary(), token?: string): Promise<ModelRecord> {
  const options = { endpoint: hub.url, tokenOrigin: hub.url, token, retryMs: 1 };
  const record = await pullDataSet(dataSetReference(name), await directoryCache(folder), options);
  expectSound(folder);
  return record;
}
const hashes = (...paths: string[]): string[] => paths.map((path) => sha256(contentOf(path)));
const hashesOf = ({ files }: ModelRecord): string[] => files.map((file) => file.sha256);

const CONVERTED = ["main/test/0000.parquet", "main/train/0000.parquet", "main/train/0001.parquet"];

describe("which files", () => {
  it("those that the hub converted", async () => {
    serve({ "refs/convert/parquet": CONVERTED, main: ["test.jsonl"] });
    const folder = temporary();
    const record = await pulled("hf:datasets/owner/set:main/train", folder, "hf_secret");
    expect(hashesOf(record)).toEqual(hashes("main/train/0000.parquet", "main/train/0001.parquet"));
    expect(record).toMatchObject({ source: `${hub.url}/datasets/owner/set`, revision: COMMIT });
    for (const { authorization } of hub.seen) expect(authorization).toBe("Bearer hf_secret");
    const name = dataSetName("owner/set", { config: "main", split: "train" });
    expect(await findModel(dataSetReference(name), await directoryCache(folder))).toEqual(record);
  });
  it.each<[string, Branches, object, string[]]>([
    ["without a conversion: the main branch", { main: ["test.jsonl", "train.jsonl"] }, {}, ["test.jsonl"]],
    [
      "where only the beginning of a split was converted",
      { "refs/convert/parquet": ["default/partial-test/0000.parquet"], main: ["data/test-00000-of-00001.parquet"] },
      {},
      ["data/test-00000-of-00001.parquet"],
    ],
    [
      "as the README says",
      { main: ["a/one.jsonl", "a/b/two.jsonl", "train.jsonl"] },
      { cardData: { configs: [{ config_name: "default", data_files: [{ split: "test", path: "a/**" }] }] } },
      ["a/one.jsonl", "a/b/two.jsonl"],
    ],
  ])("%s", async (_, branches, facts, expected) => {
    serve(branches, facts);
    expect(hashesOf(await pulled("hf:datasets/owner/set:test"))).toEqual(hashes(...expected));
  });
  it.each(["main", undefined])("by the hub's list of converted files, configuration %s", async (config) => {
    serve({ main: ["x.txt"] });
    const answer = hub.fault;
    const path = "/elsewhere/main/test/0.parquet";
    hub.files.set(path, contentOf(path));
    const list = { main: { test: [`${hub.url}${path}`], train: ["ftp://x/0.parquet"] } };
    hub.fault = (request, index) => {
      if (request.path === "/api/datasets/owner/set/parquet")
        return { body: new TextEncoder().encode(JSON.stringify(list)) };
      return request.path === path ? undefined : answer(request, index);
    };
    const name = dataSetName("owner/set", { config, split: "test" });
    const record = await pulled(name);
    expect([record.id, hashesOf(record)]).toEqual([name, hashes(path)]);
    await expect(pulled(dataSetName("owner/set", { config, split: "train" }))).rejects.toMatchObject({
      code: "missing_file",
    });
  });
  it("a revision that the user names is the only one", async () => {
    serve({ v2: ["test.jsonl"], main: ["test.jsonl", "x.jsonl"] });
    await pulled("hf:datasets/owner/set@v2:test");
    await expect(pulled("hf:datasets/owner/set@v3:test")).rejects.toMatchObject({ code: "missing_file" });
    expect(hub.seen.some(({ path }) => path.includes("/main") || path.includes("convert"))).toBe(false);
  });
});

it("a download whose connection breaks goes on where it was", async () => {
  serve({ "refs/convert/parquet": CONVERTED });
  const answer = hub.fault;
  let cut = false;
  hub.fault = (request, index) => {
    if (cut || !request.path.includes("/resolve/")) return answer(request, index);
    cut = true;
    return { cut: 500 };
  };
  await pulled("hf:datasets/owner/set:main/test");
  expect(hub.seen.map(({ range }) => range).filter(Boolean)).toEqual(["bytes=0-2021", "bytes=500-2021"]);
});

describe("errors", () => {
  it.each<[string, Branches, string, RegExp]>([
    [
      "hf:datasets/owner/set:main/dev",
      { "refs/convert/parquet": CONVERTED, main: CONVERTED },
      "missing_file",
      /^datasets\/owner\/set: expected the split dev of main as Parquet or JSON Lines, got main\/test\/0000\.parquet, /,
    ],
    ["hf:datasets/owner/set:test", { main: ["README.md", "set.py"] }, "missing_file", /got no such files/],
    ["hf:datasets/owner/none:test", {}, "missing_file", /has no repository datasets\/owner\/none at main/],
  ])("%s", async (name, branches, code, message) => {
    serve(branches);
    await expect(pulled(name)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
  it("a gated set says how to get it", async () => {
    hub.fault = () => ({ status: 401 });
    await expect(pulled("hf:datasets/owner/set:test")).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringMatching(/HF_TOKEN is not set: accept its licence at .*\/datasets\/owner\/set,/),
    });
  });
  it("a wrong hash", async () => {
    serve({ "refs/convert/parquet": CONVERTED });
    hub.files.set(
      `/datasets/owner/set/resolve/${COMMIT}/main/test/0000.parquet`,
      contentOf("main/test/0000.parqueu").slice(0),
    );
    hub.files.get(`/datasets/owner/set/resolve/${COMMIT}/main/test/0000.parquet`)![1000]! ^= 1;
    await expect(pulled("hf:datasets/owner/set:main/test")).rejects.toMatchObject({ code: "bad_weights" });
  });
  it.each([
    "hf:datasets/owner/set",
    "hf:datasets/../set:test",
    "hf:datasets/a/b/c:test",
    "hf:datasets/a/b@..:test",
    "hf:datasets/a/b:c/d/e",
  ])("%s is no name", (name) => {
    expect(() => dataSetReference(name)).toThrow(/expected hf:datasets\/owner\/name\[@revision\]:\[config\/\]split/);
  });
});
