/** The entry for Node within a bundle of its user's, which leaves wasm, crumb and the script of threads behind. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { root } from "../helpers/models.ts";

const APP = `import { load } from ${JSON.stringify(join(root, "dist/index.js"))};
async function main() {
  const model = await load("crumb", { threads: 2 });
  const request = { messages: [{ role: "user", content: "How much is 8 * 33?" }], temperature: 0 };
  console.log((await model.chat.completions.create(request)).choices[0].message.content);
  model.dispose();
}
main().catch((error) => console.log(error.code, error.message));`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nibble-bundle-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each(["esm", "cjs"] as const)("a bundle of the format %s", (format) => {
  /** Bundles the app, and runs it in an empty folder. @returns what it prints */
  async function run(): Promise<string> {
    const outfile = join(folder, "out", format === "esm" ? "app.mjs" : "app.cjs");
    await build({
      stdin: { contents: APP, resolveDir: folder },
      bundle: true,
      platform: "node",
      format,
      outfile,
      logLevel: "error",
      logOverride: { "empty-import-meta": "silent" },
    });
    const { stdout, stderr } = spawnSync(process.execPath, [outfile], { cwd: folder, encoding: "utf8" });
    expect(stderr).toBe("");
    return stdout;
  }

  it("finds the files in node_modules", async () => {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/nibble-llm"));
    expect(await run()).toContain("264");
  });

  it("finds copies beside itself", async () => {
    for (const name of ["crumb.gguf", "thread.mjs", "wasm/threads.wasm"])
      cpSync(join(root, "dist", name), join(folder, "out", name));
    expect(await run()).toContain("264");
  });

  it("says what is missing, also where node_modules has another version", async () => {
    const message = /^missing_file .*crumb\.gguf at .*out.*: a bundler has taken .*external.*node_modules/;
    expect(await run()).toMatch(message);
    const installed = join(folder, "node_modules/nibble-llm");
    cpSync(join(root, "dist/crumb.gguf"), join(installed, "dist/crumb.gguf"));
    writeFileSync(join(installed, "package.json"), '{ "name": "nibble-llm", "version": "0.0.0" }');
    expect(await run()).toMatch(message);
  });
});
