import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeFileAtomically } from "../../weights-tools/atomic-file.ts";

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
