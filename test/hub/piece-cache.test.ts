import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { memoryStore, realmLocks } from "../../src/hosts/browser/store.ts";
import { type ModelCache, type ModelRecord, PIECE_BYTES } from "../../src/hub/cache.ts";
import { createModels } from "../../src/hub/models.ts";
import { type BlobStore, type Locks, pieceCache } from "../../src/hub/piece-cache.ts";
import { FaultServer, fileOf } from "./fault-server.ts";
import { sha256 } from "./helpers.ts";

const FILE = fileOf(3 * PIECE_BYTES + 77);
let server: FaultServer;
let url: string;
let store: BlobStore;
let locks: Locks;
let cache: ModelCache;
beforeAll(async () => {
  server = await FaultServer.start();
  server.files.set("/model.gguf", FILE);
  url = `${server.url}/model.gguf`;
});
beforeEach(() => {
  server.reset();
  store = memoryStore();
  locks = realmLocks();
  cache = pieceCache(store, locks);
});
afterAll(() => server.stop());

const models = (settings = {}) =>
  createModels(async () => ({ cache, settings: { endpoint: server.url, retryMs: 1, attempts: 1, ...settings } }));

async function content(record: ModelRecord): Promise<Uint8Array> {
  const source = (await cache.open(record.files[0]!.sha256, record.files[0]!.bytes))!;
  return source.read(0, source.size);
}

it("pull, list, read at any offset, remove", async () => {
  const loaded: number[] = [];
  const record = await models().pull(url, { onProgress: (progress) => loaded.push(progress.loaded) });
  expect(loaded.at(-1)).toBe(FILE.length);
  expect(record.files).toEqual([{ name: "model.gguf", bytes: FILE.length, sha256: sha256(FILE), tag: '"one"' }]);
  expect(sha256(await content(record))).toBe(sha256(FILE));
  const source = (await cache.open(sha256(FILE), FILE.length))!;
  for (const [offset, length] of [
    [0, 4],
    [PIECE_BYTES - 3, 7],
    [PIECE_BYTES, PIECE_BYTES],
    [FILE.length - 5, 5],
    [FILE.length, 0],
  ] as const)
    expect(sha256(await source.read(offset, length))).toBe(sha256(FILE.subarray(offset, offset + length)));
  await expect(source.read(FILE.length - 1, 2)).rejects.toMatchObject({ code: "truncated" });
  expect(await models().list()).toEqual([record]);
  expect(await models().remove(url)).toBe(true);
  expect(await models().remove(url)).toBe(false);
  expect(await store.names()).toEqual([]);
});

it("goes on after an interruption; a piece that is damaged or empty is fetched again", async () => {
  server.fault = ({ range }) => (range === "bytes=0-0" ? undefined : { cut: 2 * PIECE_BYTES + 100_000 });
  await expect(models().pull(url)).rejects.toMatchObject({ code: "io_error" });
  const pieces = (await store.names()).filter((name) => name.startsWith("piece."));
  expect(pieces).toHaveLength(2);
  await store.put(pieces[0]!, new Uint8Array(0));
  server.reset();
  expect(sha256(await content(await models().pull(url)))).toBe(sha256(FILE));
  expect(server.sent).toBeLessThan(2 * PIECE_BYTES + 1000 + PIECE_BYTES);
});

it("a list of pieces or a record that is half written does not count", async () => {
  const record = await models().pull(url);
  await store.put(`file.${sha256(FILE)}`, new Uint8Array([0x7b]));
  expect(await cache.open(sha256(FILE), FILE.length)).toBeUndefined();
  expect(await cache.has(sha256(FILE), FILE.length)).toBe(false);
  const name = (await store.names()).find((one) => one.startsWith("model."))!;
  await store.put(name, new Uint8Array(0));
  expect(await cache.record(record.id)).toBeUndefined();
  expect(await models().list()).toEqual([]);
});

it("a file that lost a piece to the browser does not count as complete", async () => {
  const record = await models().pull(url);
  await store.delete((await store.names()).find((one) => one.startsWith("piece."))!);
  expect(await cache.has(sha256(FILE), FILE.length)).toBe(false);
  server.reset();
  expect(sha256(await content(await models().pull(url)))).toBe(sha256(FILE));
  expect(record.id).toBe(url);
});

it("of two pulls at once the second waits; prune leaves files that are being fetched", async () => {
  server.fault = () => ({ slow: 1 });
  const [a, b] = await Promise.all([models().pull(url), models().pull(url)]);
  expect(a!.files).toEqual(b!.files);
  const partial = await cache.partial("ab", 5);
  await partial.write(0, new Uint8Array(5), new Uint8Array(32));
  expect(await cache.prune()).toBe(0);
  await partial.release();
  expect(await cache.prune()).toBe(5);
  expect(sha256(await content(a!))).toBe(sha256(FILE));
});

it("a pull that waited for a file and finds it complete keeps its pieces", async () => {
  const { files } = await models().pull(url);
  const [{ sha256: hash, bytes }] = files as [ModelRecord["files"][number]];
  const [piece] = (await store.names()).filter((name) => name.startsWith("piece."));
  const partial = await cache.partial(piece!.split(".")[1]!, bytes);
  await partial.discard();
  expect(await cache.has(hash, bytes)).toBe(true);
});

it("refuses to pull while offline, and names that are not of the hub", async () => {
  await expect(models({ offline: true }).pull(url)).rejects.toMatchObject({ code: "io_error" });
  await expect(models().pull("crumb")).rejects.toMatchObject({ code: "invalid_argument" });
});
