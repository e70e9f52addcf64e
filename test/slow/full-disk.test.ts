/** A disk that is really full: a file system of 2 MiB in a name space of its own, where the system allows one. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { cli, pathOf } from "../cli/helpers.ts";

const BYTES = 2 * 2 ** 20;
const temporary = mkdtempSync(join(tmpdir(), "nibble-full-disk-"));
afterAll(() => rmSync(temporary, { recursive: true }));
const disk = join(temporary, "disk");
mkdirSync(disk);
const requests = join(temporary, "requests.jsonl");
const request = { custom_id: "a", method: "POST", url: "/v1/completions", body: { prompt: "a", max_tokens: 4 } };
writeFileSync(requests, `${JSON.stringify(request)}\n`);

/**
 * Runs a command while `left` bytes are free, and again when all of the disk is. Prints both statuses and the files in
 * between.
 */
const SCRIPT = `mount -t tmpfs -o size=${BYTES} tmpfs "$DISK" && cd "$DISK" && head -c $FILLED /dev/zero > filler
"$@"; echo "status $?"; ls -A; rm filler; "$@"; echo "status $?"`;

function onFullDisk(left: number, args: readonly string[]): { stdout: string; stderr: string } {
  return spawnSync("unshare", ["-rm", "sh", "-c", SCRIPT, "sh", process.execPath, cli, ...args], {
    encoding: "utf8",
    env: { ...process.env, DISK: disk, FILLED: String(BYTES - left), NIBBLE_CACHE: join(disk, "cache") },
  });
}

const canMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", disk]).status === 0;

it.runIf(canMount).each([
  ["batch, no byte", 0, ["batch", requests, "-o", "out.jsonl", "-m", "crumb"], /^status 1\nfiller\n1 of/],
  ["batch, a page", 4096, ["batch", requests, "-o", "out.jsonl", "-m", "crumb"], /^status 1\nfiller\nout.jsonl\n1 of/],
  ["eval", 8192, ["eval", "crumb-problems", "--limit", "2", "-n", "4", "-o", "out"], /^status 1\nfiller\nout\ntask/],
])("%s: one line that says so, nothing unfinished is left, and with room again it works", (_, left, args, expected) => {
  const { stdout, stderr } = onFullDisk(left, args);
  expect(stdout).toMatch(expected);
  expect(stdout).toMatch(/\nstatus 0\n$/);
  expect(stderr).toMatch(/^nibble: .*(?:ENOSPC|the disk is full)/m);
  expect(stderr).not.toMatch(/internal error|\n\s+at /);
});

// Without name spaces, a limit of the size of files stands for the disk.
it("convert: a file that grows too large is told, and nothing of it stays", () => {
  const out = join(temporary, "out.gguf");
  const convert = [process.execPath, cli, "convert", pathOf("dist/crumb.gguf"), out, "--type", "q8_0"];
  const { stderr, status } = spawnSync("sh", ["-c", 'ulimit -f 1024; "$@"', "sh", ...convert], { encoding: "utf8" });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^nibble: could not write .*EFBIG/)]);
  expect(spawnSync("ls", ["-A", temporary], { encoding: "utf8" }).stdout).toBe("disk\nrequests.jsonl\n");
});
