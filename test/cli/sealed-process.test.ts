/** The process that runs a program may write what it likes; `test/slow/python` runs programs in it. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, expect, it } from "vitest";
import { root } from "../helpers/models.ts";

const folder = join(root, "dist/.build/sealed-process");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a sealed process that does this in place of Python, and gives the error that its start ends in. */
async function failureOf(name: string, child: string): Promise<unknown> {
  const outdir = join(folder, name);
  mkdirSync(outdir, { recursive: true });
  writeFileSync(join(outdir, "python-child.js"), child);
  const entryPoints = [join(root, "src/cli/python/sealed-process.ts")];
  await build({ entryPoints, outdir, bundle: true, format: "esm", target: "es2022", platform: "node" });
  const { SealedProcess } = await import(pathToFileURL(join(outdir, "sealed-process.js")).href);
  return SealedProcess.start({ pyodide: outdir, snapshot: outdir }).catch((error: unknown) => error);
}

it("is killed when it writes without end", async () => {
  const flood = `import { writeSync } from "node:fs"; for (;;) writeSync(1, "x".repeat(2 ** 16));`;
  const error = await failureOf("flood", flood);
  expect(error).toMatchObject({ code: "internal", message: expect.stringContaining("Python did not start (SIGKILL)") });
});

it("its answers may come in any pieces, and several at once", async () => {
  // It waits for the first order, and answers that and the next one at once. What it says is open is in the error.
  const pieces = `import { writeSync } from "node:fs";
process.stdin.once("data", () => {
  for (const byte of Buffer.from(${JSON.stringify('{"type":"loaded"}\n{"type":"probed","open":["thé sea","')})) writeSync(1, Buffer.of(byte));
  writeSync(1, ${JSON.stringify('the sky"]}\n{"type":"step"}\n')});
});`;
  const error = await failureOf("pieces", pieces);
  expect(error).toMatchObject({
    code: "unsupported_host",
    message: expect.stringContaining("would not be kept from thé sea, the sky,"),
  });
});
