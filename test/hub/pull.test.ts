import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import { directoryCache } from "../../src/hosts/node/cache.ts";
import { type ModelCache, type ModelRecord, PIECE_BYTES } from "../../src/hub/cache.ts";
import { ensureModel, removeModel } from "../../src/hub/hub.ts";
import { type PullOptions, pull } from "../../src/hub/pull.ts";
import { parseReference, type Reference } from "../../src/hub/reference.ts";
import { type Fault, FaultServer, fileOf } from "./fault-server.ts";
import { expectSound, sha256, temporary } from "./helpers.ts";

const FILE = fileOf(18 * PIECE_BYTES + 12_345);
const SMALL = fileOf(2 * PIECE_BYTES + 999, 7);
let server: FaultServer;
beforeAll(async () => {
  server = await FaultServer.start();
  server.files.set("/model.gguf", FILE);
  server.files.set("/small.gguf", SMALL);
});
beforeEach(() => server.reset());
afterAll(() => server.stop());

const options = (more: Partial<PullOptions> = {}): PullOptions => ({
  endpoint: server.url,
  tokenOrigin: server.url,
  retryMs: 1,
  stallMs: 10_000,
  ...more,
});
const at = (path: string): Reference => parseReference(`${server.url}${path}`)!;

async function content(cache: ModelCache, record: ModelRecord): Promise<Uint8Array> {
  const [{ sha256: hash, bytes }] = record.files as [ModelRecord["files"][number]];
  const source = (await cache.open(hash, bytes))!;
  const all = await source.read(0, source.size);
  await source.close?.();
  return all;
}

/** Pulls, and expects the complete file and no leftovers. */
async function expectPulled(folder: string, path: string, file: Uint8Array, more: Partial<PullOptions> = {}) {
  const cache = await directoryCache(folder);
  const record = await pull(at(path), cache, options(more));
  expect(sha256(await content(cache, record))).toBe(sha256(file));
  expect(record.files[0]).toMatchObject({ name: path.slice(1), bytes: file.length, sha256: sha256(file) });
  expect(readdirSync(join(folder, "partial"))).toEqual([]);
  expectSound(folder);
  return record;
}

it("fetches several ranges at once and each byte once, and a complete file not again", async () => {
  const folder = temporary();
  const loaded: number[] = [];
  await expectPulled(folder, "/model.gguf", FILE, { onProgress: ({ loaded: bytes }) => loaded.push(bytes) });
  expect(server.sent).toBe(FILE.length + 1);
  expect(server.seen).toHaveLength(3);
  expect(loaded.at(-1)).toBe(FILE.length);
  expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
  await pull(at("/model.gguf"), await directoryCache(folder), options());
  expect(server.seen).toHaveLength(4);
});

describe("faults that pass", () => {
  const once = (fault: Fault) => (_request: unknown, index: number) => (index === 1 ? fault : undefined);
  const CASES: [string, Fault, path?: string][] = [
    ["a cut before the first byte", { cut: 0 }],
    ["a cut in a piece", { cut: 1_500_000 }],
    ["a cut at a piece's end", { cut: PIECE_BYTES }],
    ["silence", { stall: 700_000 }],
    ["status 500", { status: 500 }],
    ["status 503 with Retry-After", { status: 503, headers: { "retry-after": "0" } }],
    ["status 429", { status: 429 }],
    ["a range that begins too early", { shift: 1, headers: { "content-range": "bytes 0-5/9" } }],
    ["Content-Range of other bytes", { headers: { "content-range": `bytes 5-6/${SMALL.length}` } }],
    ["no Content-Range that means anything", { headers: { "content-range": "bytes */*" } }],
    ["a longer body", { extra: 10 }],
    ["a longer body without a length", { extra: 10, chunked: true }],
    ["a shorter body", { headers: { "content-length": "1000" }, cut: 1000 }],
    ["ranges ignored", { ignoreRange: true }, "/model.gguf"],
    ["ranges ignored, then a cut", { ignoreRange: true, cut: 3 * PIECE_BYTES }, "/model.gguf"],
    ["status 416", { status: 416 }],
  ];
  it.each(CASES)("%s", async (_name, fault, path = "/small.gguf") => {
    server.fault = once(fault);
    await expectPulled(temporary(), path, server.files.get(path)!, fault.stall === undefined ? {} : { stallMs: 150 });
    expect(server.seen.length).toBeGreaterThan(2);
  });

  it("a server without ranges", async () => {
    server.fault = () => ({ ignoreRange: true });
    await expectPulled(temporary(), "/model.gguf", FILE);
  });

  it("a server without ETag gets one request: bytes of two are never put together", async () => {
    server.etag = undefined;
    await expectPulled(temporary(), "/small.gguf", SMALL);
    expect(server.seen.map(({ range }) => range)).toEqual(["bytes=0-0", undefined]);
    server.fault = (_request, index) => (index === 3 ? { cut: PIECE_BYTES } : undefined);
    const folder = temporary();
    await expect(expectPulled(folder, "/small.gguf", SMALL)).rejects.toMatchObject({ code: "io_error" });
    await expectPulled(folder, "/small.gguf", SMALL);
  });

  it("connections that are all cut in the middle of a piece still bring the file", async () => {
    server.fault = ({ range }) => (range === "bytes=0-0" ? undefined : { cut: 400_000 });
    await expectPulled(temporary(), "/small.gguf", SMALL, { connections: 1 });
    expect(server.seen.length).toBeGreaterThan(5);
    // Only the bytes that the network still held when it was cut are fetched again.
    expect(server.sent).toBeLessThan(2 * SMALL.length);
  });

  it("an ETag that changes midway makes the pull begin again", async () => {
    const other = fileOf(FILE.length, 99);
    server.fault = (_request, index) => {
      if (index === 2) {
        server.etag = '"two"';
        server.files.set("/changing.gguf", other);
      }
      return undefined;
    };
    server.files.set("/changing.gguf", FILE);
    await expectPulled(temporary(), "/changing.gguf", other);
  });
});

describe("faults that stay", () => {
  const CASES: [string, Fault, string, RegExp][] = [
    ["404", { status: 404 }, "missing_file", /got 404/],
    ["500", { status: 500 }, "io_error", /got 500/],
    [
      "a page instead of a file",
      { body: new TextEncoder().encode("<html>log in</html>") },
      "bad_magic",
      /expected a GGUF/,
    ],
    ["packed bytes", { headers: { "content-encoding": "gzip" } }, "io_error", /encoding gzip/],
    ["no length", { chunked: true, ignoreRange: true }, "io_error", /does not say the length of the file/],
    ["silence", { stall: 10 }, "io_error", /no byte in 0.15 s/],
    ["cuts", { cut: 0 }, "io_error", /127.0.0.1/],
    ["redirects in a circle", { status: 302, headers: { location: "/small.gguf" } }, "io_error", /10 redirects/],
    ["a redirect nowhere", { status: 302 }, "io_error", /expected a redirect/],
    ["a redirect to a file", { status: 302, headers: { location: "file:///etc/passwd" } }, "io_error", /got file:/],
    ["Retry-After of a day", { status: 503, headers: { "retry-after": "86400" } }, "io_error", /try again in 86400 s/],
    [
      "ranges that are never right",
      { headers: { "content-range": `bytes 1-1/${SMALL.length}` } },
      "io_error",
      /got bytes 1-1/,
    ],
  ];
  it.each(CASES)("%s", async (_name, fault, code, message) => {
    server.fault = () => fault;
    const folder = temporary();
    const failed = expectPulled(folder, "/small.gguf", SMALL, {
      attempts: 3,
      ...(fault.stall !== undefined && { stallMs: 150 }),
    });
    await expect(failed).rejects.toBeInstanceOf(NibbleError);
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expectSound(folder);
    server.reset();
    await expectPulled(folder, "/small.gguf", SMALL);
  });

  it("the network ends midway; the next pull goes on", async () => {
    const folder = temporary();
    server.fault = ({ range }) => (range === "bytes=0-0" ? undefined : { cut: 1.5 * PIECE_BYTES });
    await expect(expectPulled(folder, "/small.gguf", SMALL, { attempts: 1 })).rejects.toMatchObject({
      code: "io_error",
    });
    server.reset();
    await expectPulled(folder, "/small.gguf", SMALL);
    expect(server.sent).toBeLessThan(SMALL.length - PIECE_BYTES + 2);
  });

  it("an abort ends the pull at once, and keeps the pieces", async () => {
    const folder = temporary();
    // The server sends a beginning, and would never go on.
    server.fault = ({ range }) => (range === "bytes=0-0" ? undefined : { stall: 1000 });
    const abort = new AbortController();
    const pull = expect(expectPulled(folder, "/small.gguf", SMALL, { signal: abort.signal })).rejects.toThrow(/abort/i);
    while (server.sent < 1000) await new Promise((resolve) => setTimeout(resolve, 1));
    abort.abort();
    await pull;
    server.reset();
    await expectPulled(folder, "/small.gguf", SMALL);
  });
});

describe("damage on the disk", () => {
  it("pieces that never reached the disk are fetched again", async () => {
    const folder = temporary();
    server.fault = ({ range }) => (range === "bytes=0-0" ? undefined : { cut: 1.5 * PIECE_BYTES });
    await expect(expectPulled(folder, "/small.gguf", SMALL, { attempts: 1 })).rejects.toThrow();
    const { openSync, writeSync, closeSync, appendFileSync } = await import("node:fs");
    const data = readdirSync(join(folder, "partial")).find((name) => name.endsWith(".data"))!;
    const handle = openSync(join(folder, "partial", data), "r+");
    writeSync(handle, new Uint8Array(4096), 0, 4096, 5000);
    closeSync(handle);
    appendFileSync(join(folder, "partial", data.replace(".data", ".pieces")), new Uint8Array(17));
    server.reset();
    await expectPulled(folder, "/small.gguf", SMALL);
  });

  it("a full disk is an error of its own, and the next pull goes on", async () => {
    const folder = temporary();
    const full = await directoryCache(folder);
    const partial = full.partial.bind(full);
    let writes = 0;
    full.partial = async (key, bytes, signal) => {
      const file = await partial(key, bytes, signal);
      const write = file.write.bind(file);
      file.write = async (...piece) => {
        if (++writes > 1) throw new NibbleError("io_error", "the disk is full");
        await write(...piece);
      };
      return file;
    };
    const failed = pull(at("/small.gguf"), full, options());
    await expect(failed).rejects.toMatchObject({ code: "io_error", message: "the disk is full" });
    expectSound(folder);
    await expectPulled(folder, "/small.gguf", SMALL);
  });
});

describe("two pulls at once", () => {
  it("in one process and cache, one fetches and the other waits", async () => {
    const folder = temporary();
    server.fault = () => ({ slow: 3 });
    const [a, b] = await Promise.all(
      [0, 1].map(async () => pull(at("/small.gguf"), await directoryCache(folder), options())),
    );
    expect(a!.files).toEqual(b!.files);
    expectSound(folder);
  });
});

it.each(["/a%zz.gguf", "/%E0%A4%A.gguf", "/a%2Fb.gguf", "/a%00.gguf"])(
  "the address %s keeps its name",
  async (path) => {
    const cache = await directoryCache(temporary());
    server.files.set(path, SMALL);
    const { files } = await pull(at(path), cache, options());
    expect(files[0]!.name).toBe(path.slice(1));
  },
);

describe("the cache", () => {
  it("rm deletes the files that no other model has", async () => {
    const folder = temporary();
    const cache = await directoryCache(folder);
    server.files.set("/again.gguf", SMALL);
    const first = await pull(at("/small.gguf"), cache, options());
    const second = await pull(at("/again.gguf"), cache, options());
    expect((await cache.records()).map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
    expect(await removeModel(first.id, cache)).toBe(true);
    expect(sha256(await content(cache, second))).toBe(sha256(SMALL));
    expect(await removeModel(second.id, cache)).toBe(true);
    expect(await removeModel(second.id, cache)).toBe(false);
    expect(readdirSync(join(folder, "files"))).toEqual([]);
  });

  it("prune deletes leftovers, and no file that is being fetched", async () => {
    const cache = await directoryCache(temporary());
    const left = await cache.partial("aa", 3);
    await left.write(0, new Uint8Array(3), new Uint8Array(32));
    await left.release();
    const busy = await cache.partial("bb", 3);
    await busy.write(0, new Uint8Array(3), new Uint8Array(32));
    expect(await cache.prune()).toBe(3 + 36);
    expect(await busy.read(0)).toHaveLength(3);
    await busy.discard();
  });

  it("offline, models come from the cache, and others are an error", async () => {
    const cache = await directoryCache(temporary());
    const offline = { ...options(), offline: true };
    await expect(ensureModel(at("/small.gguf"), cache, offline)).rejects.toMatchObject({ code: "missing_file" });
    const record = await pull(at("/small.gguf"), cache, options());
    server.reset();
    expect(await ensureModel(at("/small.gguf"), cache, offline)).toEqual(record);
    expect(server.seen).toEqual([]);
  });
});
