import { describe, expect, it } from "vitest";
import { zipEntry } from "../../src/hub/zip.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { zip } from "../helpers/zip.ts";
import { sameBytes } from "../weights-tools/helpers.ts";

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
