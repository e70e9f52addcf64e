/** What commands write over: regular files and the targets of links, never pipes; and what reaches the terminal. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cli, fixtureModel, nibble } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-output-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const convert = (out: string, ...more: string[]) => nibble(["convert", fixtureModel, out, "--type", "q8_0", ...more]);

describe.runIf(process.platform === "linux")("a disk that is full", () => {
  it("is told, and nothing is left behind", () => {
    // The limit of a file's size stands for it: the system call that writes fails in the middle of the file.
    const args = [
      "-c",
      'ulimit -f 200; exec "$@"',
      "sh",
      process.execPath,
      cli,
      "convert",
      "crumb",
      at("large"),
      "--type",
      "f32",
    ];
    const { status, stderr } = spawnSync("sh", args, { encoding: "utf8" });
    expect([status, stderr]).toEqual([1, `nibble: could not write ${at("large")}: EFBIG: file too large, write\n`]);
    expect(readdirSync(folder).filter((name) => name.startsWith("large"))).toEqual([]);
  });
});

describe.runIf(process.platform !== "win32")("--force", () => {
  it("refuses a pipe and leaves it", async () => {
    spawnSync("mkfifo", [at("pipe")]);
    const { code, stderr } = await convert(at("pipe"), "--force");
    expect([code, stderr]).toEqual([1, `nibble: ${at("pipe")}: expected a regular file to write, got a pipe\n`]);
    expect(lstatSync(at("pipe")).isFIFO()).toBe(true);
  });

  it("refuses a device", async () => {
    const { code, stderr } = await convert("/dev/null", "--force");
    expect([code, stderr]).toEqual([1, "nibble: /dev/null: expected a regular file to write, got a device\n"]);
  });

  it("writes the target of a link, and the link stays", async () => {
    writeFileSync(at("target"), "old");
    symlinkSync("target", at("first"));
    symlinkSync(at("first"), at("second"));
    expect((await convert(at("second"), "--force")).code).toBe(0);
    for (const link of ["first", "second"]) expect(lstatSync(at(link)).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("target")).subarray(0, 4).toString()).toBe("GGUF");
  });

  it("writes the file that a dangling link names", async () => {
    symlinkSync("absent", at("dangling"));
    expect((await convert(at("dangling"))).code).toBe(0);
    expect(lstatSync(at("dangling")).isSymbolicLink()).toBe(true);
    expect(existsSync(at("absent"))).toBe(true);
  });
});

it("control characters of a file are shown as escapes", async () => {
  const bytes = readFileSync(fixtureModel);
  const value = bytes.indexOf("llama", bytes.indexOf("general.architecture") + "general.architecture".length);
  bytes.write("\x1b]0;\x07", value, "latin1");
  writeFileSync(at("control.gguf"), bytes);
  const { stdout } = await nibble(["inspect", at("control.gguf")]);
  expect(stdout).toContain("architecture \\u001b]0;\\u0007");
  const { code, stderr } = await nibble(["run", at("control.gguf"), "Hi"]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("\\u001b]0;\\u0007")]);
  expect(stdout + stderr).not.toMatch(/(?!\n)\p{Cc}/u);
});
