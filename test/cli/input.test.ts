import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { nibble, nibbleJson, shell } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

describe("text that is not UTF-8", () => {
  it.each([
    ["Latin-1", [0x63, 0x61, 0x66, 0xe9, 0x20, 0x31], "byte 0xe9 at offset 3"],
    ["Latin-1 at the end", [0x63, 0x61, 0x66, 0xe9], "byte 0xe9 at offset 3"],
    ["UTF-16", [0xff, 0xfe, 0x41, 0], "byte 0xff at offset 0"],
    ["half a character after a whole one", [0xc3, 0xa9, 0xe2, 0x82], "byte 0xe2 at offset 2"],
    ["a surrogate", [0x41, 0xed, 0xa0, 0x80], "byte 0xed at offset 1"],
    ["a longer form than needed", [0xef, 0xbb, 0xbf, 0xc0, 0x80], "byte 0xc0 at offset 3"],
  ])("%s: the first byte that begins no character", async (_, bytes, what) => {
    writeFileSync(at("bad.txt"), Uint8Array.from(bytes));
    for (const command of ["run", "tokenize", "perplexity"]) {
      const { code, stdout, stderr } = await nibble([command, "-f", at("bad.txt"), "--json"]);
      expect([code, stderr]).toEqual([1, `nibble: ${at("bad.txt")}: expected UTF-8 text, got ${what}\n`]);
      expect(JSON.parse(stdout).error.code).toBe("bad_string");
    }
  });
  it("is found in a long file, and on stdin", async () => {
    writeFileSync(at("long.txt"), Buffer.concat([Buffer.from("é".repeat(100_000)), Buffer.of(0x80, 0x41)]));
    expect((await nibble(["tokenize", "-f", at("long.txt")])).stderr).toContain("got byte 0x80 at offset 200000");
    const piped = await shell(`nibble run < ${at("long.txt")}`).result();
    expect(piped).toMatchObject({ code: 1, stderr: expect.stringMatching(/^nibble: stdin: .* offset 200000\n$/) });
  });
  it("is nothing else: a byte order mark, NUL and U+FFFD itself are text", async () => {
    const text = "\ufeffa\0\ufffd";
    writeFileSync(at("odd.txt"), text);
    const { tokens } = await nibbleJson(["tokenize", "-f", at("odd.txt")]);
    expect(await nibbleJson(["tokenize"], text)).toMatchObject({ tokens });
    expect((await nibbleJson(["tokenize", "-f", at("odd.txt")])).ids.length).toBeGreaterThanOrEqual(4);
  });
});

describe.runIf(process.platform !== "win32")("inputs that are not plain files", () => {
  it("a named pipe is read to its end", async () => {
    const { stdout } = await shell(
      `mkfifo ${at("pipe")}; (printf 'How '; printf far) > ${at("pipe")} & nibble tokenize --json -f ${at("pipe")}`,
    ).result();
    expect(JSON.parse(stdout).tokens.join("")).toBe("How far");
  });
  it.each([
    ["a device", "nibble tokenize -f /dev/zero"],
    ["a device as ids", "nibble perplexity --ids /dev/zero"],
    ["a pipe", "yes | nibble run"],
    ["a device on stdin", "nibble tokenize < /dev/zero"],
  ])("%s without an end is left after 64 MiB", async (_, line) => {
    const { code, stdout, stderr } = await shell(line).result();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^nibble: .*: it holds more than 67108864 bytes of text, the limit\n$/);
  });
  it("a folder is not read as text", async () => {
    expect(await nibble(["tokenize", "-f", folder])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^nibble: .*: it cannot be read: EISDIR/),
    });
  });
});
